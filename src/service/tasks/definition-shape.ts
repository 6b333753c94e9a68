import { TRIGGER_FIELDS } from './trigger-shape.ts';

/** What a value of a task document looks like. One table serves the reader of files and the JSON Schema of editors. */
export type Shape =
  /** Any scalar, as it is written. */
  | { readonly kind: 'text'; readonly words?: readonly string[] }
  | { readonly kind: 'integer'; readonly least?: number; readonly most?: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'list'; readonly items: Shape }
  /** Free names. */
  | { readonly kind: 'map'; readonly values: Shape }
  | { readonly kind: 'object'; readonly fields: Fields }
  /** `{ secret: NAME }`, or `{ stored: true }` for what the task has. */
  | { readonly kind: 'secret' }
  | { readonly kind: 'text-or-secret' }
  /** What answers hold and files need not: read over. */
  | { readonly kind: 'ignored' };

export type Fields = Readonly<Record<string, { readonly shape: Shape; readonly about: string; readonly required?: true }>>;

const TEXT: Shape = { kind: 'text' };
const BOOLEAN: Shape = { kind: 'boolean' };
const SECRET: Shape = { kind: 'secret' };
const IGNORED = { shape: { kind: 'ignored' }, about: 'Set by the daemon; read over.' } as const;

const ARGUMENTS: Shape = {
  kind: 'list',
  items: {
    kind: 'object',
    fields: {
      name: { shape: TEXT, about: 'Name without blanks and `=`.', required: true },
      value: { shape: { kind: 'text-or-secret' }, about: 'Text, or where a secret value is.', required: true },
      isSecret: { shape: BOOLEAN, about: 'Follows from the value; may be left out.' },
    },
  },
};

const STEP: Fields = {
  type: {
    shape: { kind: 'text', words: ['Docker', 'FileTask', 'EncodedTask'] },
    about: 'One Dockerfile, a task file of the context, or a task file that stands here. Follows from the other fields.',
  },
  contextPath: { shape: TEXT, about: 'Git repository (`https://host/repo.git#branch:folder`), archive, or `oci://host/name:tag`.' },
  contextAccessToken: { shape: SECRET, about: 'Token that opens the context.' },
  dockerFilePath: { shape: TEXT, about: 'Path in the context; `Dockerfile` by default.' },
  imageNames: { shape: { kind: 'list', items: TEXT }, about: 'Tags of the image; `{{.Run.ID}}` and the like are replaced.' },
  isPushEnabled: { shape: BOOLEAN, about: 'Whether the image is pushed; true by default.' },
  noCache: { shape: BOOLEAN, about: 'Builds without the cache.' },
  target: { shape: TEXT, about: 'Stage of the Dockerfile.' },
  arguments: { shape: ARGUMENTS, about: 'Build arguments.' },
  taskFilePath: { shape: TEXT, about: 'Path of the task file in the context.' },
  valuesFilePath: { shape: TEXT, about: 'Path of the values file in the context.' },
  values: { shape: ARGUMENTS, about: 'Values of templates; they win over the values file.' },
  taskContent: { shape: TEXT, about: 'The task file itself, as text.' },
  valuesContent: { shape: TEXT, about: 'The values file itself, as text.' },
  encodedTaskContent: { shape: TEXT, about: 'The task file itself, in base64.' },
  encodedValuesContent: { shape: TEXT, about: 'The values file itself, in base64.' },
};

/** The fields of a task document: those of the task's JSON, and `taskContent` and `valuesContent` for people. */
export const TASK_FIELDS: Fields = {
  kind: { shape: { kind: 'text', words: ['Task'] }, about: 'What the document is.' },
  name: { shape: TEXT, about: '1 to 63 of a-z 0-9 . _ -; unique on the daemon.', required: true },
  status: { shape: { kind: 'text', words: ['Enabled', 'Disabled'] }, about: 'A disabled task runs by hand only.' },
  platform: {
    shape: {
      kind: 'object',
      fields: {
        os: { shape: { kind: 'text', words: ['linux'] }, about: 'Operating system.' },
        architecture: { shape: TEXT, about: 'amd64, arm64, arm, 386, ppc64le, s390x or riscv64; that of the daemon by default.' },
        variant: { shape: TEXT, about: 'For example `v7` of arm.' },
      },
    },
    about: 'What runs build for.',
  },
  agentConfiguration: {
    shape: {
      kind: 'object',
      fields: { cpu: { shape: { kind: 'integer', least: 1, most: 256 }, about: 'CPUs of a run; 2 by default.', required: true } },
    },
    about: 'What a run gets of its agent.',
  },
  timeout: { shape: { kind: 'integer' }, about: 'Seconds of one run; 3600 by default.' },
  step: { shape: { kind: 'object', fields: STEP }, about: 'What a run does.', required: true },
  registry: { shape: TEXT, about: '`.Run.Registry`: `host` or `host:port`; that of the daemon by default.' },
  credentials: {
    shape: {
      kind: 'list',
      items: {
        kind: 'object',
        fields: {
          loginServer: { shape: TEXT, about: '`host` or `host:port` of the registry.', required: true },
          userName: { shape: { kind: 'text-or-secret' }, about: 'Text, or where it is kept.', required: true },
          password: { shape: SECRET, about: 'Where the password is kept.', required: true },
        },
      },
    },
    about: 'Registries that runs log in to.',
  },
  agentPoolName: { shape: TEXT, about: 'Which agents take its runs.' },
  priority: { shape: { kind: 'integer', least: -100, most: 100 }, about: 'Larger runs first; 0 by default.' },
  maxParallelRuns: { shape: { kind: 'integer', least: 1, most: 10_000 }, about: 'Most runs of the task at once.' },
  concurrency: {
    shape: {
      kind: 'object',
      fields: {
        group: {
          shape: TEXT,
          about: 'Runs of one group exclude one another; `${task}`, `${branch}`, `${commit}`, `${pullRequest}` are replaced.',
          required: true,
        },
        limit: { shape: { kind: 'integer', least: 1, most: 1000 }, about: 'Most runs of the group at once; 1 by default.' },
        onConflict: {
          shape: { kind: 'text', words: ['queue', 'cancel-pending', 'cancel-running', 'skip'] },
          about: 'What happens when the group is full; `queue` by default.',
        },
      },
    },
    about: 'Runs that must not run together.',
  },
  policy: {
    shape: {
      kind: 'object',
      fields: {
        privileged: { shape: BOOLEAN, about: 'Steps may be privileged.' },
        hostMounts: { shape: BOOLEAN, about: 'Steps may mount folders of the agent.' },
        dockerSocket: { shape: BOOLEAN, about: 'Steps get the socket of the engine.' },
      },
    },
    about: 'Special rights; only admins give them, and runs of untrusted code never have them.',
  },
  trigger: {
    shape: { kind: 'object', fields: TRIGGER_FIELDS },
    about:
      'What starts the task by itself; commits of its git context and updates of its base images when it is left out, nothing when it is `{}`.',
  },
  tags: { shape: { kind: 'map', values: TEXT }, about: 'Names and texts for people and programs.' },
  id: IGNORED,
  version: IGNORED,
  creationDate: IGNORED,
  lastUpdatedTime: IGNORED,
  managedBy: IGNORED,
  warnings: IGNORED,
};
