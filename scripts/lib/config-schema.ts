import { SETTING_KEYS } from '../../src/config/setting-keys.ts';

/** The JSON schema of slipway.yaml, from the table that reads it. */
export function configSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of Slipway (slipway.yaml)',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      SETTING_KEYS.map(({ name, schema, description, fallback, variable, flag }) => [
        name,
        {
          ...schema,
          description: `${description} Default: ${fallback}. Variable ${variable}${flag === undefined ? '' : `, flag ${flag}`}.`,
        },
      ]),
    ),
  };
}
