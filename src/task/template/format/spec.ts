/** One verb of a format with its flags, as fmt reads `%+-# 08.3d`. */
export interface FormatSpec {
  readonly verb: string;
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  /** `%+v`: names of fields. */
  readonly plusV: boolean;
  /** `%#v`: Go syntax. */
  readonly sharpV: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

export const PLAIN_SPEC: FormatSpec = {
  verb: 'v',
  plus: false,
  minus: false,
  sharp: false,
  plusV: false,
  sharpV: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
};
