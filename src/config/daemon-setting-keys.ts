import { key, type SettingKey } from './setting-key.ts';
import {
  choice,
  duration,
  durationFrom,
  folderPath,
  hosts,
  imageGlobs,
  limitsByName,
  mapped,
  size,
  sizeUpTo,
  textLike,
  wholeNumber,
  yesOrNo,
} from './setting-kinds.ts';
import { LOG_LEVELS } from './settings.ts';

const listenAddress = mapped(
  textLike(
    /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])$/,
    'an address and a port, for example `127.0.0.1:7300` or `[::]:7300`',
  ),
  (text) => {
    const colon = text.lastIndexOf(':');
    return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
  },
);
const httpUrl = mapped(textLike(/^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/, 'a URL such as `https://builds.example.org`'), (text) =>
  text.replace(/\/+$/, ''),
);
const poolName = textLike(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name of lower-case letters, digits and `-`');

/** What `task serve` is set with besides. */
export const DAEMON_SETTING_KEYS: readonly SettingKey[] = [
  key('data', folderPath, {
    group: 'daemon',
    flag: '--data',
    description: 'Data directory of the daemon: database, logs, uploads, keys. Belongs to its user alone (0700).',
    fallback: '/var/lib/slipway for root, else a folder in the state directory of the user',
  }),
  key('listen', listenAddress, {
    group: 'daemon',
    flag: '--listen',
    description: 'Where the API listens besides the unix socket in the data directory; port 0 takes a free one.',
    fallback: '127.0.0.1:7300',
  }),
  key('publicUrl', httpUrl, {
    group: 'daemon',
    flag: '--public-url',
    description: 'How clients, webhooks and links reach the daemon, for example behind a proxy with TLS.',
    fallback: 'http:// and the address of `listen`',
  }),
  key('allowedHosts', hosts, {
    group: 'daemon',
    description: 'Further names that requests may address the daemon by.',
    fallback: 'none: localhost, the address of `listen` and the host of `publicUrl`',
  }),
  key('tasksDirectory', folderPath, {
    group: 'daemon',
    flag: '--tasks',
    description: 'Folder of task definitions that is applied continuously.',
    fallback: 'tasks.d in the data directory',
  }),
  key('pool', poolName, {
    group: 'daemon',
    description: 'Pool of the built-in agent.',
    fallback: 'default',
  }),
  key('maxRuns', wholeNumber(1, 10_000), {
    group: 'daemon',
    flag: '--max-runs',
    description: 'Most runs at once on the built-in agent.',
    fallback: 'the number of cores',
  }),
  key('poolLimits', limitsByName, {
    group: 'daemon',
    description: 'Most runs at once of a pool, for example `builders=4`.',
    fallback: 'none: the slots of its agents',
  }),
  key('maxQueued', wholeNumber(1, 1_000_000), {
    group: 'daemon',
    description: 'Most runs that wait; more are refused.',
    fallback: '10000',
  }),
  key('minTimeout', duration, { group: 'daemon', description: 'Smallest time limit that a task may have.', fallback: '300s' }),
  key('maxTimeout', duration, { group: 'daemon', description: 'Largest time limit that a task may have.', fallback: '28800s' }),
  key('gracePeriod', duration, {
    group: 'daemon',
    description: 'How long runs may go on after SIGTERM; what still runs then is taken over by the next start.',
    fallback: '30s',
  }),
  key('uploadLimit', size, { group: 'daemon', description: 'Largest context that a client may send.', fallback: '1GiB' }),
  key('logLimit', size, { group: 'daemon', description: 'Most output that is kept of one run.', fallback: '64MiB' }),
  key('runRetention', duration, { group: 'daemon', description: 'How long ended runs are listed, unless archived.', fallback: '90d' }),
  key('logRetention', duration, { group: 'daemon', description: 'How long logs are kept, unless archived.', fallback: '30d' }),
  key('uploadRetention', duration, {
    group: 'daemon',
    description: 'How long sent contexts are kept after their last use.',
    fallback: '7d',
  }),
  key('imageRetention', duration, {
    group: 'daemon',
    description: 'How long images that runs built stay in the engine after their last build.',
    fallback: 'for ever',
  }),
  key('allowPrivateAddresses', yesOrNo, {
    group: 'daemon',
    description: 'Contexts, files and what is known of images may be fetched from private networks.',
    fallback: 'true',
  }),
  key('allowLoopbackAddresses', yesOrNo, {
    group: 'daemon',
    description: 'Contexts and files may be fetched from the machine of the daemon itself.',
    fallback: 'false',
  }),
  key('gitPollInterval', durationFrom({ ms: 60_000, text: '60s', off: true }), {
    group: 'daemon',
    description: 'Time between looks at a repository that tasks follow, besides its webhooks; `0` for never.',
    fallback: '5m',
  }),
  key('allowFileGit', yesOrNo, {
    group: 'daemon',
    description: 'Tasks may use and follow git repositories of the machine of the daemon (`file://`).',
    fallback: 'false',
  }),
  key('untrustedLocalImages', imageGlobs, {
    group: 'daemon',
    description: 'Images of the engine that untrusted runs may use without asking a registry, as `busybox:local` or `team/*:*`.',
    fallback: 'none',
  }),
  key('baseImagePollMin', durationFrom({ ms: 60_000, text: '60s' }), {
    group: 'daemon',
    description: 'Least time between looks at a base image.',
    fallback: '10m',
  }),
  key('baseImagePollMax', durationFrom({ ms: 60_000, text: '60s' }), {
    group: 'daemon',
    description: 'Most time between looks at a base image; each time is a random one between the two.',
    fallback: '60m',
  }),
  key('baseImageWindow', durationFrom({ ms: 1000, text: '1s', off: true }), {
    group: 'daemon',
    description: 'How long a run for a new base image waits for further ones, so that they are one run.',
    fallback: '30s',
  }),
  key('maxBackgroundRuns', wholeNumber(1, 10_000), {
    group: 'daemon',
    description: 'Most runs at once that only a new base image asked for.',
    fallback: '50',
  }),
  key('eventRetention', durationFrom({ ms: 30 * 86_400_000, text: '30d' }), {
    group: 'daemon',
    description: 'How long trigger events and what was decided on them are kept.',
    fallback: '30d',
  }),
  // No forge sends more, and what is read of one delivery is kept whole in memory.
  key('webhookBodyLimit', sizeUpTo({ bytes: 25 * 2 ** 20, text: '25MiB' }), {
    group: 'daemon',
    description: 'Largest delivery of a webhook, at most 25MiB.',
    fallback: '25MiB',
  }),
  key('stepMemory', size, { group: 'daemon', description: 'Most memory of one step.', fallback: 'no limit' }),
  key('stepPids', wholeNumber(16, 4_000_000), { group: 'daemon', description: 'Most processes of one step.', fallback: '4096' }),
  key('logLevel', choice(LOG_LEVELS), {
    group: 'daemon',
    flag: '--log-level',
    description: 'What the daemon says of itself.',
    fallback: 'info',
  }),
];
