import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { packageFile } from '../../util/package-file.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { Template } from './templates.ts';

/** The name in package.json. */
const PACKAGE_NAME = 'slipway';
const SCHEMA = 'schemas/task.schema.json';
const SCHEMA_COPY = 'task.schema.json';

interface WrittenTemplate {
  readonly files: readonly string[];
  /** The task file names its schema by a path that only this machine has. */
  readonly machineOnly: boolean;
}

interface WriteOptions {
  /** Overwrites files that exist; otherwise nothing is written when one of them does. */
  readonly force: boolean;
  /** Writes a copy of the schema beside the task file, for editors on any machine. */
  readonly withSchema: boolean;
}

/** Writes a template's files into a directory. The task file begins with the comment by which editors find its schema. */
export async function writeTemplate(
  template: Template,
  directory: string,
  options: WriteOptions,
): Promise<Result<WrittenTemplate, readonly Diagnostic[]>> {
  const texts = await textsOf(template, directory, options);
  const names = [...texts.keys()];
  const taken = options.force ? [] : names.filter((name) => existsSync(join(directory, name)));
  if (taken.length > 0) {
    return err(
      taken.map((name) => ({
        code: 'file-exists',
        severity: 'error' as const,
        message: `${join(relative(process.cwd(), directory), name)} exists already; nothing was written`,
        help: '`--force` overwrites it; `--directory DIR` writes somewhere else',
      })),
    );
  }
  for (const [name, text] of texts) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return ok({ files: names, machineOnly: !options.withSchema && portableSchema(directory) === undefined });
}

async function textsOf(template: Template, directory: string, { withSchema }: WriteOptions): Promise<ReadonlyMap<string, string>> {
  const reference = withSchema ? `./${SCHEMA_COPY}` : (portableSchema(directory) ?? pathToFileURL(packageFile(SCHEMA)).href);
  const texts = new Map(Object.entries(template.files));
  const [first] = texts;
  if (first !== undefined) texts.set(first[0], `# yaml-language-server: $schema=${reference}\n${first[1]}`);
  if (withSchema) texts.set(SCHEMA_COPY, await readFile(packageFile(SCHEMA), 'utf8'));
  return texts;
}

/** The schema's relative path, where other machines have it too: in node_modules of the project, or in this package itself. */
function portableSchema(directory: string): string | undefined {
  const own = packageFile('');
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const installed = join(folder, 'node_modules', PACKAGE_NAME, SCHEMA);
    if (existsSync(installed)) return relativePath(directory, installed);
    if (folder === resolve(own)) return relativePath(directory, join(own, SCHEMA));
    if (dirname(folder) === folder) return undefined;
  }
}

function relativePath(directory: string, file: string): string {
  const path = relative(directory, file).split(sep).join('/');
  return path.startsWith('.') ? path : `./${path}`;
}
