import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '../../src/util/process.ts';

/** A self-signed certificate for 127.0.0.1 and its key, as PEM. */
export async function selfSignedCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-cert-'));
  try {
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=slipway-test',
    ];
    const outcome = await runProcess({
      file: 'openssl',
      args: [...args, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    if (outcome.kind !== 'exited' || outcome.exitCode !== 0) throw new Error(`openssl: ${outcome.kind} ${outcome.stderr}`);
    return { cert: await readFile(join(folder, 'cert.pem'), 'utf8'), key: await readFile(join(folder, 'key.pem'), 'utf8') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
