import { key, type SettingKey } from './setting-key.ts';
import { choice, folderPath, hosts, mapped, textLike, wholeNumber } from './setting-kinds.ts';
import { OUTPUT_FORMATS } from './settings.ts';

const registryText = mapped(textLike(/^(?!.*:\/\/)[A-Za-z0-9]\S*$/, 'a registry, for example `localhost:5000` or `ghcr.io/name`'), (text) =>
  text.replace(/\/+$/, ''),
);
const engineText = textLike(
  /^(unix|tcp|http|https|ssh|npipe|fd):\/\/\S+$/,
  'an address such as `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`',
);

/** What every command that runs or checks tasks is set with. */
export const RUN_SETTING_KEYS: readonly SettingKey[] = [
  key('registry', registryText, {
    group: 'runs',
    flag: '--registry',
    description: 'Registry of runs: `.Run.Registry`, and what image names without one are pushed to.',
    fallback: 'none',
  }),
  key('engine', engineText, {
    group: 'runs',
    flag: '--engine',
    description: 'Address of the container engine.',
    fallback: 'DOCKER_HOST, the docker context, the usual sockets',
  }),
  key('parallelism', wholeNumber(1, 999_999), {
    group: 'runs',
    flag: '--parallel',
    description: 'Most steps of a run at once.',
    fallback: 'no limit on cmd and push, the number of cores on builds',
  }),
  key('format', choice(OUTPUT_FORMATS), {
    group: 'runs',
    flag: '--output',
    description: 'How runs are printed.',
    fallback: '`auto`: live on a terminal, plain lines elsewhere',
  }),
  key('insecureRegistries', hosts, {
    group: 'runs',
    flag: '--insecure-registry',
    description: 'Registries other than loopback that may speak plain HTTP.',
    fallback: 'none',
  }),
  key('trustedRealms', hosts, {
    group: 'runs',
    flag: '--trusted-realm',
    description: 'Token servers that may get the credentials of a registry of another domain.',
    fallback: 'none',
  }),
  key('logDirectory', folderPath, {
    group: 'runs',
    flag: '--log-dir',
    description: 'Folder that gets a folder of logs for each run of `task run`.',
    fallback: 'a folder in the state directory of the user',
  }),
];
