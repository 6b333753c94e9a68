import type { PropertySpec, PropertyTable } from '../../src/task/schema/property-table.ts';
import { STEP_PROPERTIES } from '../../src/task/schema/step-properties.ts';
import { TASK_PROPERTIES } from '../../src/task/schema/task-properties.ts';

type Schema = { readonly [key: string]: unknown };

/** Scalars of any type are read as text; an empty value is an empty text. */
const TEXT: Schema = { type: ['string', 'number', 'boolean', 'null'] };
const NUMBER: Schema = { type: ['number', 'null'] };
const DURATION: Schema = { type: 'string', pattern: '^([0-9]+([.][0-9]+)?(ms|s|m|h|d))+$' };
/** Editors that read YAML 1.2 see strings here. */
const YAML_1_1_BOOLEANS = ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'];

/** The JSON Schema (draft 7, which editors know best) of a task file. */
export function taskSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Task file of Slipway and of Azure Container Registry Tasks',
    ...tableSchema(TASK_PROPERTIES),
  };
}

/** Other keys are ignored by the program; in an editor they are most likely misspelt. */
function tableSchema(table: PropertyTable): Schema {
  const properties = Object.entries(table).map(([name, spec]) => [name, propertySchema(spec)]);
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}

function stepSchema(): Schema {
  return { ...tableSchema(STEP_PROPERTIES), anyOf: KINDS.map((required) => ({ type: 'object', required })) };
}

const KINDS = [['cmd'], ['build'], ['push'], ['script', 'image']];

function propertySchema(spec: PropertySpec): Schema {
  const description = [spec.description, spec.default === undefined ? '' : `Default: ${spec.default}.`]
    .filter((part) => part !== '')
    .join(' ');
  return { description, ...typeSchema(spec), examples: [spec.example] };
}

function typeSchema({ type, choices }: PropertySpec): Schema {
  if (choices !== undefined) return { anyOf: [{ enum: choices }, TEXT] };
  switch (type) {
    case 'string':
      return TEXT;
    case 'int':
      return NUMBER;
    case 'seconds':
      return { anyOf: [NUMBER, DURATION] };
    case 'bool':
      return { anyOf: [{ type: ['boolean', 'null'] }, { enum: YAML_1_1_BOOLEANS }] };
    case 'strings':
      return listOf(TEXT);
    case 'ints':
      return listOf(NUMBER);
    case 'command':
      return { anyOf: [TEXT, listOf(TEXT)] };
    case 'string-map':
      return { type: 'object', additionalProperties: TEXT };
    default:
      if ('mapping' in type) return tableSchema(type.mapping);
      return listOf(type.listOf === STEP_PROPERTIES ? stepSchema() : tableSchema(type.listOf));
  }
}

function listOf(items: Schema): Schema {
  return { type: ['array', 'null'], items };
}
