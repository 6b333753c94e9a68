import type { CommandWords } from './completion-words.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** A completion script for one shell. Commands, flags and choices are fixed words; everything else completes files. */
export function completionScript(shell: Shell, commands: readonly CommandWords[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}

function bashScript(commands: readonly CommandWords[]): string {
  const cases = commands.map((command) => {
    const values = command.flags.filter((flag) => flag.takesValue);
    const choices = values
      .filter((flag) => flag.choices.length > 0)
      .map((flag) => `        ${flag.long}) COMPREPLY=($(compgen -W "${flag.choices.join(' ')}" -- "$current")); return ;;\n`);
    const files = values
      .filter((flag) => flag.choices.length === 0)
      .flatMap((flag) => [flag.long, ...(flag.short === undefined ? [] : [flag.short])]);
    const fileCase = files.length === 0 ? '' : `        ${files.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;\n`;
    return `    ${command.name})
      case $previous in
${choices.join('')}${fileCase}      esac
      flags="${command.flags.map((flag) => flag.long).join(' ')}"
      words="${command.words.join(' ')}"
      ;;
`;
  });
  return `# bash completion of task:  eval "$(task completion bash)"
_task() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} flags= words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map((command) => command.name).join(' ')} --version --help" -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('')}  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -o bashdefault -F _task task
`;
}

function zshScript(commands: readonly CommandWords[]): string {
  const cases = commands.map((command) => {
    const specs = command.flags.map((flag) => {
      const value = flag.takesValue ? (flag.choices.length > 0 ? `:value:(${flag.choices.join(' ')})` : ':value:_files') : '';
      return `        '*${flag.long}[${zshText(flag.about)}]${value}'`;
    });
    const argument = command.words.length > 0 ? `        '1:argument:(${command.words.join(' ')})'` : `        '*:file:_files'`;
    return `    ${command.name})\n      _arguments \\\n${[...specs, argument].join(' \\\n')}\n      ;;\n`;
  });
  return `#compdef task
# zsh completion of task:  eval "$(task completion zsh)"
_task() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map((command) => `      '${command.name}:${zshText(command.about)}'`).join('\n')}
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('')}  esac
}
compdef _task task
`;
}

function fishScript(commands: readonly CommandWords[]): string {
  const lines = [
    '# fish completion of task:  task completion fish | source',
    'complete -c task -n __fish_use_subcommand -l version -d "print the version"',
  ];
  for (const command of commands) {
    lines.push(`complete -c task -f -n __fish_use_subcommand -a ${command.name} -d ${fishText(command.about)}`);
    const condition = `-n "__fish_seen_subcommand_from ${command.name}"`;
    for (const flag of command.flags) {
      const short = flag.short === undefined ? '' : ` -s ${flag.short.slice(1)}`;
      const value = !flag.takesValue ? '' : flag.choices.length > 0 ? ` -x -a "${flag.choices.join(' ')}"` : ' -r';
      lines.push(`complete -c task ${condition} -l ${flag.long.slice(2)}${short}${value} -d ${fishText(flag.about)}`);
    }
    if (command.words.length > 0) lines.push(`complete -c task ${condition} -a "${command.words.join(' ')}"`);
  }
  return `${lines.join('\n')}\n`;
}

/** Text inside single quotes of an _arguments specification. */
function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll('[', '(').replaceAll(']', ')').replaceAll(':', '\\:');
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
