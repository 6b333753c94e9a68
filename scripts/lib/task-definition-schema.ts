import { type Fields, type Shape, TASK_FIELDS } from '../../src/service/tasks/definition-shape.ts';

type Schema = Readonly<Record<string, unknown>>;

const SECRET: Schema = {
  oneOf: [
    { type: 'object', properties: { secret: { type: 'string' } }, required: ['secret'], additionalProperties: false },
    { type: 'object', properties: { stored: { const: true } }, required: ['stored'], additionalProperties: false },
  ],
};
const SCALAR: Schema = { type: ['string', 'number', 'boolean'] };

/** The JSON Schema of one document of `task apply`, made from the table that reads it. */
export function taskDefinitionSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Slipway task definition',
    description: 'A task of a Slipway daemon: a document of `task apply` and of the folder of tasks.',
    ...objectSchema(TASK_FIELDS),
  };
}

function objectSchema(fields: Fields): Schema {
  const required = Object.entries(fields).flatMap(([name, field]) => (field.required === true ? [name] : []));
  const properties = Object.entries(fields).map(([name, { shape, about }]) => [name, { description: about, ...schemaOf(shape) }]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function schemaOf(shape: Shape): Schema {
  switch (shape.kind) {
    case 'text':
      return shape.words === undefined ? SCALAR : { enum: shape.words };
    case 'integer':
      return {
        type: 'integer',
        ...(shape.least === undefined ? {} : { minimum: shape.least }),
        ...(shape.most === undefined ? {} : { maximum: shape.most }),
      };
    case 'boolean':
      return { type: 'boolean' };
    case 'list':
      return { type: 'array', items: schemaOf(shape.items) };
    case 'map':
      return { type: 'object', additionalProperties: schemaOf(shape.values) };
    case 'object':
      return objectSchema(shape.fields);
    case 'secret':
      return SECRET;
    case 'text-or-secret':
      return { anyOf: [SCALAR, SECRET] };
    case 'ignored':
      return {};
  }
}
