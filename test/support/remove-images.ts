import Docker from 'dockerode';

/** Every `repository:tag` of the engine. */
export async function imageTags(docker = new Docker()): Promise<ReadonlySet<string>> {
  return new Set((await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []));
}

/** Takes away tags that a test made, and the images that no tag holds any longer; a tag that is gone already is no matter. */
export async function removeImages(tags: Iterable<string>, docker = new Docker()): Promise<void> {
  for (const tag of tags) {
    try {
      await docker.getImage(tag).remove({ force: true });
    } catch (error) {
      if ((error as { readonly statusCode?: number }).statusCode !== 404) throw error;
    }
  }
}
