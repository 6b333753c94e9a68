import { BUILTIN_FUNCTIONS } from './builtins.ts';
import { COMPARE_FUNCTIONS } from './compare.ts';
import { CRYPTO_FUNCTIONS } from './crypto.ts';
import { DATE_FUNCTIONS } from './dates.ts';
import { DICT_FUNCTIONS } from './dicts.ts';
import { ENCODING_FUNCTIONS } from './encoding.ts';
import { FLOW_FUNCTIONS } from './flow.ts';
import { LIST_FUNCTIONS } from './lists.ts';
import { NUMBER_FUNCTIONS } from './numbers.ts';
import { PATH_FUNCTIONS } from './paths.ts';
import { REGEXP_FUNCTIONS } from './regexps.ts';
import type { FunctionTable } from './signature.ts';
import { STRING_FUNCTIONS } from './strings.ts';
import { SYSTEM_FUNCTIONS } from './system.ts';
import { URL_FUNCTIONS } from './urls.ts';
import { VERSION_FUNCTIONS } from './versions.ts';
import { WORD_FUNCTIONS } from './words.ts';
import { WRAP_FUNCTIONS } from './wrap.ts';

/** Every function of templates: Go's built-in ones and those of sprig 2.22, of which `slice` takes the place of Go's. */
export const TEMPLATE_FUNCTIONS: FunctionTable = {
  ...BUILTIN_FUNCTIONS,
  ...COMPARE_FUNCTIONS,
  ...CRYPTO_FUNCTIONS,
  ...DATE_FUNCTIONS,
  ...DICT_FUNCTIONS,
  ...ENCODING_FUNCTIONS,
  ...FLOW_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...PATH_FUNCTIONS,
  ...REGEXP_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...SYSTEM_FUNCTIONS,
  ...URL_FUNCTIONS,
  ...VERSION_FUNCTIONS,
  ...WORD_FUNCTIONS,
  ...WRAP_FUNCTIONS,
};
