import type { BuildSpec } from '../model/plan.ts';
import type { Masker } from '../util/masker.ts';

/** Every builder knows these without an ARG, and keeps them out of the history of the image. */
const PROXY_ARG = /^(?:https?|ftp|no|all)_proxy$/i;

/** One warning for each build argument whose value holds a secret that the masker knows; the value is in none. */
export function secretBuildArgWarnings({ buildArgs, env }: Pick<BuildSpec, 'buildArgs' | 'env'>, masker: Masker): readonly string[] {
  const environment = new Map(env.map(splitPair));
  const given = new Map(buildArgs.map((arg) => (arg.includes('=') ? splitPair(arg) : ([arg, environment.get(arg) ?? ''] as const))));
  return [...given]
    .filter(([name, value]) => !PROXY_ARG.test(name) && masker.maskText(value) !== value)
    .map(
      ([name]) =>
        `the value of \`--build-arg ${name}\` holds a secret, which \`docker history\` shows to whoever has the image; ` +
        `pass it with \`--secret id=${name}\` and read it with \`RUN --mount=type=secret,id=${name}\``,
    );
}

function splitPair(text: string): readonly [string, string] {
  const [name = ''] = text.split('=', 1);
  return [name, text.slice(name.length + 1)];
}
