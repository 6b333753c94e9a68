import type { SourceRange } from '../../model/diagnostic.ts';
import type { Step } from '../../model/task.ts';

interface Expansion {
  readonly aliases: ReadonlyMap<string, string>;
  /** Renders the text of an alias; undefined when that fails. */
  render(text: string, place: SourceRange): string | undefined;
}

/**
 * Replaces the first word of each `cmd` that is exactly the name of an alias. Only a blank (U+0020) ends the word: neither
 * `bash:3` nor a tab after `bash` matches. Template code in an alias is rendered: the rest of the file has been already.
 */
export function expandFirstWords(steps: readonly Step[], expansion: Expansion): readonly Step[] {
  return steps.map((step) => {
    if (step.kind !== 'cmd' || typeof step.cmd !== 'string' || step.script !== undefined) return step;
    const trimmed = step.cmd.trim();
    const blank = trimmed.indexOf(' ');
    const word = blank === -1 ? trimmed : trimmed.slice(0, blank);
    const value = expansion.aliases.get(word);
    if (value === undefined) return step;
    const text = value.includes('{{') ? expansion.render(value, step.cmdRange) : value;
    return text === undefined ? step : { ...step, cmd: `${text}${trimmed.slice(word.length)}` };
  });
}
