import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { packageFile } from '../../util/package-file.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { Template } from './templates.ts';

/**
 * Writes a template's files into a directory and returns their names. Without `force` nothing is written when one of them
 * exists already.
 */
export async function writeTemplate(
  template: Template,
  directory: string,
  options: { readonly force: boolean },
): Promise<Result<readonly string[], readonly Diagnostic[]>> {
  const names = Object.keys(template.files);
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
  for (const [name, text] of Object.entries(template.files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    const head = name === names[0] ? `# yaml-language-server: $schema=${schemaReference(directory)}\n` : '';
    await writeFile(path, head + text);
  }
  return ok(names);
}

/** A path below node_modules of the project stays right on other machines; an installation elsewhere is named by URL. */
function schemaReference(directory: string): string {
  const schema = packageFile('schemas/task.schema.json');
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    if (schema.startsWith(join(folder, 'node_modules') + sep)) {
      const path = relative(directory, schema).split(sep).join('/');
      return path.startsWith('.') ? path : `./${path}`;
    }
    if (dirname(folder) === folder) return pathToFileURL(schema).href;
  }
}
