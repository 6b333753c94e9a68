import { z } from 'zod';
import { listOf, taskName, text, time } from './common.ts';
import { imageTag } from './image-tag-schema.ts';

export const depsQuery = z.object({
  task: taskName.exactOptional().describe('Only what concerns this task.'),
  image: text.exactOptional().describe('Only what concerns this image: `node`, `node:20`, `registry.example/base:1`.'),
  whatIf: text.exactOptional().describe('Who would rebuild, and in which order, if this image had a new digest.'),
});

const dependencyEdge = z
  .object({
    task: z.string(),
    step: z.string(),
    platform: z.string(),
    image: imageTag,
    written: z.string().describe('As in the Dockerfile.'),
    role: z.enum(['runtime', 'buildtime']),
    followed: z.boolean().describe('The task’s base image trigger is enabled and its type takes in this image.'),
    pattern: z.string().exactOptional().describe('Newer tags that satisfy it are followed, not the one that is written.'),
    indexDigest: z.string().describe('That the last build used; empty before one.'),
    platformDigest: z.string(),
    credential: z
      .string()
      .describe('What its registry is asked with, by the name that `followed` has too; `default`: docker’s configuration of the daemon.'),
    loginServer: z.string().exactOptional().describe('Of the credential of the task, when it has one of its own for the registry.'),
    state: z.enum(['static', 'built', 'attempted']),
    runId: z.string().exactOptional(),
  })
  .readonly()
  .meta({ id: 'DependencyEdge', description: 'A task builds on an image.' });

const outputEdge = z
  .object({ task: z.string(), image: imageTag, state: z.enum(['static', 'pushed']), runId: z.string().exactOptional() })
  .readonly()
  .meta({ id: 'OutputEdge', description: 'A task pushes an image; an empty tag: each run its own.' });

const followedImage = z
  .object({
    image: imageTag,
    pattern: z.string().describe('`semver:~1.2`, `regex:…`; empty for the tag itself.'),
    newestTag: z.string().describe('Of a pattern.'),
    credential: z.string().describe('As of dependencies.'),
    indexDigest: z.string(),
    digests: z.record(z.string(), z.string()).readonly(),
    status: z.enum(['new', 'ok', 'unreachable', 'missing']),
    error: z.string().exactOptional(),
    checkedAt: time.exactOptional(),
    nextCheck: time,
  })
  .readonly()
  .meta({ id: 'FollowedImage', description: 'A tag (or pattern) that is looked at, once for all tasks on it.' });

const rebuild = z
  .object({
    task: z.string(),
    after: listOf(z.string()).describe('Tasks that are rebuilt before it, because it builds on what they push.'),
    because: z.string(),
    refused: z.string().exactOptional().describe('Why it would not rebuild after all.'),
  })
  .readonly()
  .meta({ id: 'Rebuild', description: 'A task that would rebuild.' });

export const dependencyGraph = z
  .object({
    dependencies: listOf(dependencyEdge),
    outputs: listOf(outputEdge),
    followed: listOf(followedImage),
    cycles: listOf(listOf(z.string())).describe('Tasks that build on their own output, each after the one that it builds on.'),
    problems: listOf(z.object({ task: z.string(), message: z.string() }).readonly()).describe(
      'Tasks whose files could not be read for their images.',
    ),
    whatIf: z
      .object({ image: z.string(), rebuilds: listOf(rebuild).describe('In the order in which they would run.') })
      .readonly()
      .exactOptional(),
  })
  .readonly()
  .meta({ id: 'DependencyGraph', description: 'Images, the tasks that build on them, and the images that those push.' });
export type DependencyGraph = z.output<typeof dependencyGraph>;
