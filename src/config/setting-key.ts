import type { SettingKind } from './setting-kinds.ts';
import type { Settings } from './settings.ts';

export interface SettingKey {
  readonly name: keyof Settings;
  readonly variable: string;
  /** `runs`: every command that runs or checks tasks. `daemon`: `task serve`. */
  readonly group: 'runs' | 'daemon';
  /** One line for people. */
  readonly description: string;
  /** What holds when nobody sets it, for people. */
  readonly fallback: string;
  readonly flag?: string;
  readonly list: boolean;
  readonly expected: string;
  readonly schema: Readonly<Record<string, unknown>>;
  read(texts: readonly string[]): Settings | undefined;
}

type About = Pick<SettingKey, 'group' | 'description' | 'fallback'> & { readonly flag?: string };

/** A key with its name and its variable, read as `kind` says. */
export function key<Name extends keyof Settings>(name: Name, kind: SettingKind<NonNullable<Settings[Name]>>, about: About): SettingKey {
  return {
    ...about,
    name,
    variable: `SLIPWAY_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    list: kind.list,
    expected: kind.expected,
    schema: kind.schema,
    read: (texts) => {
      const value = kind.read(texts);
      return value === undefined ? undefined : { [name]: value };
    },
  };
}
