import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, it } from 'vitest';
import { ROUTES } from '../../../src/api/routes.ts';
import { send } from './client.ts';
import { startDaemon } from './daemon-fixture.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

it('describes every route of the table in valid OpenAPI 3.1, and none besides', async () => {
  await using daemon = await startDaemon();
  const document = (await send(daemon.socket, { path: '/api/openapi.json' })).json();
  expect(await new Validator().validate(structuredClone(document))).toStrictEqual({ valid: true });
  expect(document['openapi']).toMatch(/^3\.1\./);

  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
  );
  expect(described.map(({ method, path, operation }) => `${operation.operationId} ${method.toUpperCase()} ${path}`).sort()).toStrictEqual(
    ROUTES.map(({ name, method, path }) => `${name} ${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`).sort(),
  );
  for (const route of ROUTES) {
    const { operation } = described.find((one) => one.operation.operationId === route.name) ?? { operation: undefined };
    expect(Object.keys(operation?.responses ?? {}), route.name).toStrictEqual(
      expect.arrayContaining([...Object.keys(route.answers), '4XX', '5XX']),
    );
    const inPath = operation?.parameters?.filter((parameter) => parameter.in === 'path').map(({ name }) => name) ?? [];
    expect(inPath, route.name).toStrictEqual([...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name));
    if ('body' in route) expect(Object.keys(operation?.requestBody?.content ?? {}), route.name).not.toHaveLength(0);
  }
});

it('refers only to schemas that are there, and says of no field that it cannot be sent', async () => {
  await using daemon = await startDaemon();
  const { text } = await send(daemon.socket, { path: '/api/openapi.json' });
  const { components } = JSON.parse(text) as { components: { schemas: Record<string, unknown> } };
  const named = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
  expect(named.filter((name) => components.schemas[name ?? ''] === undefined)).toStrictEqual([]);
  expect(Object.keys(components.schemas).filter((name) => !named.includes(name))).toStrictEqual([]);
  expect(text).not.toContain('"readOnly"');
});
