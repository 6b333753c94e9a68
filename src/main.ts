import { readFileSync, writeSync } from 'node:fs';

// The launcher turns the compile cache on for this program; what it starts must not write there.
if (process.env['SLIPWAY_COMPILE_CACHE'] !== undefined) {
  delete process.env['NODE_COMPILE_CACHE'];
  delete process.env['SLIPWAY_COMPILE_CACHE'];
}

const [first, ...rest] = process.argv.slice(2);
if ((first === '--version' || first === '-V') && rest.length === 0) {
  // Answered before anything is imported: editors and scripts ask for it often.
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  writeSync(1, `${manifest.version}\n`);
} else {
  void import('./cli/program.ts').then(async ({ runProgram }) => {
    await runProgram(process.argv.slice(2), async () => (await import('./daemon/serve.ts')).serve);
    // When a run has ended there is nothing left to wait for, and taking Node apart in good order takes 10 ms.
    const flushed = process.stdout.writableLength === 0 && process.stderr.writableLength === 0;
    if ((first === 'run' || first === 'build') && flushed) process.exit();
  });
}
