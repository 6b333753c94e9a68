import type { StepCommon } from '../../model/task.ts';
import { unquoteEnv } from '../command/unquote-env.ts';
import { containerWorkdir } from '../command/working-directory.ts';
import type { Problems } from '../schema/problems.ts';

const QUOTING = /['"\\]/;

/**
 * Removes the shell quoting that the language allows in properties of a step. Environments that steps share are read once.
 * A quote that is never closed is reported and the text kept.
 */
export class StepWords {
  readonly #problems: Problems;
  readonly #environments = new Map<readonly string[], readonly string[]>();
  readonly #workdirs = new Map<string, string>();

  constructor(problems: Problems) {
    this.#problems = problems;
  }

  /** The environment of a step, unquoted. */
  env(step: StepCommon): readonly string[] {
    const known = this.#environments.get(step.env);
    if (known !== undefined) return known;
    const unquoted = step.env.map((entry) => this.word(entry, 'env', step));
    this.#environments.set(step.env, unquoted);
    return unquoted;
  }

  /** The working directory in the container; most steps share one. */
  workdir(step: StepCommon): string {
    const known = this.#workdirs.get(step.workingDirectory);
    if (known !== undefined) return known;
    const workdir = containerWorkdir(this.word(step.workingDirectory, 'workingDirectory', step));
    this.#workdirs.set(step.workingDirectory, workdir);
    return workdir;
  }

  words(texts: readonly string[], property: string, step: StepCommon): readonly string[] {
    return texts.length === 0 ? texts : texts.map((text) => this.word(text, property, step));
  }

  word(text: string, property: string, step: StepCommon): string {
    if (text === '' || !QUOTING.test(text)) return text;
    const unquoted = unquoteEnv(text);
    if (unquoted.ok) return unquoted.value;
    this.#problems.error('property-bad-quoting', `In \`${property}\` of the step \`${step.id}\`, ${unquoted.error}.`, {
      range: step.range,
    });
    return text;
  }
}
