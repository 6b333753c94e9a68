import type { PropertyTable } from './property-table.ts';

const CONTAINER = ['cmd', 'build'] as const;
const DURATION = 'Durations such as `10m` are an extension; whole seconds are not.';

export const MOUNT_PROPERTIES = {
  name: { type: 'string', description: 'Name of a volume of the task.', example: 'name: keys' },
  mountPath: {
    type: 'string',
    description: 'Absolute path in the container where the files of the volume appear.',
    example: 'mountPath: /run/keys',
  },
} as const satisfies PropertyTable;

/** Every property of a step. The parser accepts each on every kind of step; `on` says where it has an effect. */
export const STEP_PROPERTIES = {
  id: {
    type: 'string',
    description:
      'Name of the step: unique, without white space. Later steps wait for it by this name, and on the network of the task it is the host name of the container.',
    example: 'id: build-web',
    default: '`acb_step_N`, where N is the position of the step, from 0',
  },
  cmd: {
    type: 'command',
    description:
      'Runs a container: the image, then the arguments for its entrypoint, quoted as in a POSIX shell. As a list, each item is one word and nothing is quoted.',
    example: "cmd: bash -c 'make test'",
    on: ['cmd'],
    extension: 'A list is an extension.',
  },
  build: {
    type: 'string',
    description: 'Builds an image: the arguments of `docker build`, the context last.',
    example: 'build: -t $Registry/web:$ID -f web/Dockerfile web',
    on: ['build'],
  },
  push: {
    type: 'strings',
    description: 'Pushes images. A name without a tag and without a digest gets `:latest`.',
    example: 'push: ["$Registry/web:$ID"]',
    on: ['push'],
  },
  image: {
    type: 'string',
    description: 'The image that runs `script`.',
    example: 'image: node:24',
    on: ['cmd'],
    extension: 'An extension.',
  },
  script: {
    type: 'string',
    description: 'A shell script, run by `/bin/sh -e` in a container of `image`: the first command that fails ends it.',
    example: 'script: |\n  npm ci\n  npm test',
    on: ['cmd'],
    extension: 'An extension.',
  },
  when: {
    type: 'strings',
    description: 'Ids of earlier steps to wait for; `["-"]` waits for none.',
    example: 'when: [build-web, build-api]',
    default: 'the step before this one in the file',
  },
  timeout: {
    type: 'seconds',
    description: 'Time for all attempts and repeats of the step together, in seconds. 0 or less means the default.',
    example: 'timeout: 1200',
    default: '`stepTimeout` of the task',
    extension: DURATION,
  },
  startDelay: {
    type: 'seconds',
    description: 'Seconds to wait before the step starts; not counted in its timeout.',
    example: 'startDelay: 5',
    default: '0',
    extension: DURATION,
  },
  retries: {
    type: 'int',
    description: 'Further attempts after the first failed.',
    example: 'retries: 3',
    default: '0',
    on: CONTAINER,
  },
  retryDelay: {
    type: 'seconds',
    description: 'Seconds between two attempts. 0 or less means the default.',
    example: 'retryDelay: 10',
    default: '5',
    on: CONTAINER,
    extension: DURATION,
  },
  retryOnErrors: {
    type: 'strings',
    description: 'Retries only when the output of the failed attempt contains one of these texts.',
    example: 'retryOnErrors: ["connection reset"]',
    default: 'every failure is retried',
    on: CONTAINER,
  },
  repeat: {
    type: 'int',
    description: 'Further executions after the first, whether it failed or not.',
    example: 'repeat: 2',
    default: '0',
    on: CONTAINER,
  },
  ignoreErrors: {
    type: 'bool',
    description: 'A failure of the step counts as success.',
    example: 'ignoreErrors: true',
    default: 'false',
  },
  detach: {
    type: 'bool',
    description: 'The step has succeeded once its container runs; the container stays until the run ends.',
    example: 'detach: true',
    default: 'false',
    on: ['cmd'],
  },
  keep: {
    type: 'bool',
    description: 'Keeps the finished container until the run ends, for example for `docker logs` in a later step.',
    example: 'keep: true',
    default: 'false',
    on: ['cmd'],
  },
  pull: {
    type: 'bool',
    description: 'Pulls the image before the step even if the engine has it.',
    example: 'pull: true',
    default: 'false',
    on: ['cmd'],
  },
  cmdDownloadRetries: {
    type: 'int',
    description: 'Further attempts of the pull that `pull` asks for.',
    example: 'cmdDownloadRetries: 3',
    default: '0',
    on: ['cmd'],
  },
  cmdDownloadRetryDelay: {
    type: 'seconds',
    description: 'Seconds between two attempts of that pull.',
    example: 'cmdDownloadRetryDelay: 2',
    default: '0',
    on: ['cmd'],
    extension: DURATION,
  },
  workingDirectory: {
    type: 'string',
    description: 'Working directory in the container; a relative path starts at `/workspace`.',
    example: 'workingDirectory: web',
    default: '`workingDirectory` of the task',
    on: CONTAINER,
  },
  disableWorkingDirectoryOverride: {
    type: 'bool',
    description: "Leaves the image's own working directory alone.",
    example: 'disableWorkingDirectoryOverride: true',
    default: 'false',
    on: ['cmd'],
  },
  entryPoint: {
    type: 'string',
    description: "Replaces the image's entrypoint.",
    example: 'entryPoint: /bin/sh',
    on: ['cmd'],
  },
  env: {
    type: 'strings',
    description:
      "Environment variables, `NAME=value`, with shell quoting in the value. The task's own follow where the step does not set them.",
    example: 'env: ["GREETING=\'good day\'", CI=true]',
    default: '`env` of the task',
    on: CONTAINER,
  },
  network: {
    type: 'string',
    description: 'Name of the network that the container joins.',
    example: 'network: host',
    default: 'the default network of the task',
    on: ['cmd'],
  },
  ports: {
    type: 'strings',
    description: 'Ports to publish on the machine, as after `docker run -p`.',
    example: 'ports: ["8080:80"]',
    on: ['cmd'],
  },
  expose: {
    type: 'strings',
    description: 'Ports to expose to other containers, as after `docker run --expose`.',
    example: 'expose: ["80"]',
    on: ['cmd'],
  },
  privileged: {
    type: 'bool',
    description: 'Runs the container with all capabilities of the machine, where the policy allows it.',
    example: 'privileged: true',
    default: 'false',
    on: ['cmd'],
  },
  user: {
    type: 'string',
    description: 'User (and group) of the process, as after `docker run --user`.',
    example: 'user: "1000:1000"',
    on: ['cmd'],
  },
  isolation: {
    type: 'string',
    description: 'Isolation of the container; engines on Linux know only `default`.',
    example: 'isolation: default',
    on: ['cmd'],
  },
  cpus: {
    type: 'string',
    description: 'Number of processors that the container may use.',
    example: 'cpus: 1.5',
    on: ['cmd'],
  },
  cache: {
    type: 'string',
    description: 'Keeps the cache of the build in the registry of its first tag.',
    example: 'cache: enabled',
    default: 'disabled',
    choices: ['enabled', 'disabled'],
    on: ['build'],
  },
  volumeMounts: {
    type: { listOf: MOUNT_PROPERTIES },
    description: 'Volumes of the task that appear in the container.',
    example: 'volumeMounts:\n  - name: keys\n    mountPath: /run/keys',
    on: ['cmd'],
  },
  exitedWith: {
    type: 'ints',
    description:
      'Exit codes of the steps waited for with which this step runs. Has its meaning only with `--extended`; otherwise it is ignored.',
    example: 'exitedWith: [0, 2]',
  },
  exitedWithout: {
    type: 'ints',
    description:
      'Exit codes of the steps waited for with which this step is skipped. Has its meaning only with `--extended`; otherwise it is ignored.',
    example: 'exitedWithout: [3]',
  },
} as const satisfies PropertyTable;
