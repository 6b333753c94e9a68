import { describe, expect, it } from 'vitest';
import type { SourceRange } from '../../../src/model/diagnostic.ts';
import { imageNameForPull, type ParsedCommand, parseCommand, parseCommandWords } from '../../../src/task/command/parse-command.ts';

function rangeOf(text: string): SourceRange {
  return { source: { name: 'task.yaml', text }, start: 0, end: text.length };
}

function parse(text: string, env: readonly string[] = []): ParsedCommand {
  const result = parseCommand(text, { env, range: rangeOf(text) });
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
  return result.value.value;
}

function problems(text: string): string[] {
  const result = parseCommand(text, { env: [], range: rangeOf(text) });
  const found = result.ok ? result.value.warnings : result.error;
  return found.map(({ code, severity, help = '', range }) =>
    `${severity} ${code} ${range?.source.text.slice(range.start, range.end)} ${help}`.trim(),
  );
}

describe('parseCommand', () => {
  it('takes the first word as the image and the rest as arguments', () => {
    expect(parse(`bash -c 'echo "$HOME" | cat' --flag`)).toEqual({
      image: 'bash',
      args: ['-c', 'echo "$HOME" | cat', '--flag'],
      env: [],
      ports: [],
      expose: [],
      flags: {},
    });
  });

  it('accepts a block whose one command spans lines inside quotes', () => {
    expect(parse(`bash -c 'echo "FROM binaries\nENTRYPOINT [ \\"/buildx\\" ]" > Dockerfile'\n`).args).toEqual([
      '-c',
      'echo "FROM binaries\nENTRYPOINT [ \\"/buildx\\" ]" > Dockerfile',
    ]);
  });

  it('reads the flags of docker run before the image', () => {
    const command = parse(
      '-it --rm=true -e X=1 --env=Y -v /a:/b -w /w -uroot --entrypoint sh --net host -p 80:80 --expose=81 --privileged ' +
        '--cpus 1.5 --platform linux/arm64 -m 1g --memory-swap -1 --cap-add NET_ADMIN --cap-add=SYS_TIME --ulimit nofile=1:2 ' +
        '--pids-limit -1 --init --pull never -d img:1 -e not-a-flag',
    );
    expect(command).toEqual({
      image: 'img:1',
      args: ['-e', 'not-a-flag'],
      env: ['X=1', 'Y'],
      ports: ['80:80'],
      expose: ['81'],
      entrypoint: 'sh',
      workdir: '/w',
      user: 'root',
      network: 'host',
      cpus: '1.5',
      platform: 'linux/arm64',
      privileged: true,
      detach: true,
      flags: {
        tty: true,
        interactive: true,
        init: true,
        memory: '1g',
        memorySwap: '-1',
        capAdd: ['NET_ADMIN', 'SYS_TIME'],
        ulimits: ['nofile=1:2'],
        pidsLimit: -1,
        volumes: ['/a:/b'],
        pull: 'never',
      },
    });
  });

  it('expands variables of the step, in the image too', () => {
    expect(parse('$IMAGE echo "$MESSAGE" $OTHER', ['IMAGE=r.io/a:1', 'MESSAGE=a b', 'BARE'])).toMatchObject({
      image: 'r.io/a:1',
      args: ['echo', 'a b', '$OTHER'],
    });
  });

  it.each([
    ['--memroy 1g img', 'error flag-unknown --memroy Did you mean `--memory`?'],
    ['--memory img', 'error flag-value img'],
    ['-e', 'error flag-value -e'],
    ['--privileged=maybe img', 'error flag-value --privileged=maybe'],
    ['--gpus all img', 'error flag-unsupported all'],
    ['--pull sometimes img', 'error flag-value sometimes'],
    ['--rm img', 'warning flag-ignored --rm'],
    ['--name x img', 'warning flag-ignored x'],
    ['-tzi img', 'error flag-unknown -tzi `docker run` has no such flag; arguments of the image follow its name.'],
  ])('%s', (text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  it('names every bad flag at once', () => {
    expect(problems('--nope-at-all --cpus two --gpus all img')).toHaveLength(3);
  });

  it.each(['', '  ', '\n', '-it', '""'])('refuses %j, which names no image', (text) => {
    expect(problems(text)[0]).toMatch(/^error cmd-no-image/);
  });

  it('places an operator in the file the author wrote', () => {
    const file = 'steps:\n  - cmd: |\n      bash echo a &&\n      echo b\n';
    const start = file.indexOf('|');
    const range = { source: { name: 't', text: file }, start, end: file.length };
    const result = parseCommand('bash echo a &&\necho b\n', { env: [], range });
    expect(!result.ok && result.error[0]?.range).toMatchObject({ start: file.indexOf('&&'), end: file.indexOf('&&') + 2 });
  });

  it('reads a list without any shell', () => {
    const result = parseCommandWords(['-e', 'A=$B', 'img', 'a b', '>'], rangeOf('x'));
    expect(result.ok && result.value.value).toMatchObject({ image: 'img', args: ['a b', '>'], env: ['A=$B'] });
  });
});

describe('imageNameForPull', () => {
  it.each([
    ['bash echo hello', 'bash'],
    ['foo bar > qux &', 'foo'],
    ['foo    ', 'foo'],
    ['', ''],
    [' img a', ''],
  ])('%j', (text, expected) => {
    expect(imageNameForPull(text)).toBe(expected);
  });
});
