import type { SourceRange } from '../../model/diagnostic.ts';
import type { CmdStep, Step } from '../../model/task.ts';

interface Expansion {
  readonly aliases: ReadonlyMap<string, string>;
  /** Renders the text of an alias; undefined when that fails. */
  render(text: string, place: SourceRange): Promise<string | undefined>;
}

/**
 * Replaces the first word of each `cmd` that is exactly the name of an alias. Only a blank (U+0020) ends the word: neither
 * `bash:3` nor a tab after `bash` matches. Template code in an alias is rendered: the rest of the file has been already.
 */
export async function expandFirstWords(steps: readonly Step[], expansion: Expansion): Promise<readonly Step[]> {
  const expanded: Step[] = [];
  for (const step of steps) {
    const found = firstWord(step, expansion.aliases);
    if (found === undefined) {
      expanded.push(step);
      continue;
    }
    const { value, rest } = found;
    const text = value.includes('{{') ? await expansion.render(value, found.step.cmdRange) : value;
    expanded.push(text === undefined ? step : { ...found.step, cmd: `${text}${rest}` });
  }
  return expanded;
}

interface FirstWord {
  readonly step: CmdStep;
  /** Of the alias. */
  readonly value: string;
  readonly rest: string;
}

/** Undefined unless the first word is an alias. */
function firstWord(step: Step, aliases: ReadonlyMap<string, string>): FirstWord | undefined {
  if (step.kind !== 'cmd' || typeof step.cmd !== 'string' || step.script !== undefined) return undefined;
  const trimmed = step.cmd.trim();
  const blank = trimmed.indexOf(' ');
  const word = blank === -1 ? trimmed : trimmed.slice(0, blank);
  const value = aliases.get(word);
  return value === undefined ? undefined : { step, value, rest: trimmed.slice(word.length) };
}
