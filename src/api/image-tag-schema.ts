import { z } from 'zod';

export const imageTag = z
  .object({ registry: z.string(), repository: z.string(), tag: z.string() })
  .readonly()
  .meta({ id: 'ImageTag', description: 'A tag of a registry: `docker.io`, `library/node`, `20`.' });
