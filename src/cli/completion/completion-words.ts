import type { Command, Option } from 'commander';

/** What a shell can complete after one command. */
export interface CommandWords {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly FlagWords[];
  /** Fixed words for the first argument. */
  readonly words: readonly string[];
}

interface FlagWords {
  readonly long: string;
  readonly short?: string;
  readonly about: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** Reads the words of every command off the program itself, so that completion never lags behind. */
export function completionWords(program: Command, argumentWords: Readonly<Record<string, readonly string[]>>): readonly CommandWords[] {
  return program.commands.map((command) => ({
    name: command.name(),
    about: command.summary() || command.description(),
    flags: [...flagsOf(command), { long: '--help', short: '-h', about: 'show help', takesValue: false, choices: [] }],
    words: argumentWords[command.name()] ?? command.commands.map((below) => below.name()),
  }));
}

/** Of a command that only holds others (`token create`): theirs, each once. */
function flagsOf(command: Command): FlagWords[] {
  const all = [command, ...command.commands].flatMap(({ options }) => options.flatMap(flagWords));
  return all.filter((flag, index) => all.findIndex(({ long }) => long === flag.long) === index);
}

function flagWords(option: Option): FlagWords[] {
  if (option.long === undefined || option.hidden) return [];
  return [
    {
      long: option.long,
      ...(option.short === undefined ? {} : { short: option.short }),
      about: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    },
  ];
}
