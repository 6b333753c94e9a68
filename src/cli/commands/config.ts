import type { Command } from 'commander';
import { loadSettingLayers } from '../../config/load-settings.ts';
import { SETTING_KEYS } from '../../config/setting-keys.ts';
import type { Settings } from '../../config/settings.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { addOutputFlag, type Output } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { textTable } from '../terminal/text-table.ts';

interface ShownSetting {
  readonly key: string;
  readonly value: unknown;
  /** Null: nobody sets it. */
  readonly from: string | null;
  readonly default: string;
  readonly variable: string;
  readonly flag: string | null;
}

export function addConfigCommand(program: Command, io: Io, finish: (code: ExitCode) => void): void {
  const config = program.command('config').summary('show the settings').description('Settings: slipway.yaml, variables, flags.');
  const show = config
    .command('show')
    .summary('print every setting, its value and where it comes from')
    .description(
      'Prints every key of slipway.yaml with the value that applies here and where that comes from. Flags beat variables SLIPWAY_…, which beat\n' +
        'slipway.yaml of this folder (or --config), which beats config.yaml of ~/.config/slipway.',
    )
    .option('--config <file>', 'file read instead of slipway.yaml of this folder');
  addOutputFlag(show).action(async (flags: { readonly output: Output; readonly config?: string }) => {
    const layers = await loadSettingLayers({ directory: io.directory, environment: io.environment, file: flags.config });
    if (!layers.ok) {
      io.stderr.write(renderDiagnostics(layers.error, io.paintError));
      finish(EXIT.badInput);
      return;
    }
    const shown = SETTING_KEYS.map((key): ShownSetting => {
      const layer = layers.value.find(({ settings }) => settings[key.name] !== undefined);
      return {
        key: key.name,
        value: layer === undefined ? null : plain(key.name, layer.settings),
        from: layer?.placeOf(key.name) ?? null,
        default: key.fallback,
        variable: key.variable,
        flag: key.flag ?? null,
      };
    });
    io.stdout.write(flags.output === 'json' ? `${JSON.stringify(shown, undefined, 2)}\n` : renderSettings(shown, io));
  });
}

function plain(name: keyof Settings, settings: Settings): unknown {
  if (name === 'listen' && settings.listen !== undefined) return `${settings.listen.host}:${settings.listen.port}`;
  if (name === 'poolLimits' && settings.poolLimits !== undefined) {
    return Object.entries(settings.poolLimits).map(([pool, limit]) => `${pool}=${limit}`);
  }
  return settings[name] ?? null;
}

function renderSettings(shown: readonly ShownSetting[], io: Io): string {
  const rows = shown.map(({ key, value, from, default: fallback }) => [
    key,
    value === null ? io.paint('dim', printable(fallback)) : printable(Array.isArray(value) ? value.join(', ') : String(value)),
    from === null ? io.paint('dim', 'default') : printable(from),
  ]);
  return `${textTable([['KEY', 'VALUE', 'FROM'], ...rows]).join('\n')}\n`;
}
