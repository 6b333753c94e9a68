// Preloaded into a measured process: writes its peak memory (KiB) to the file BENCH_PEAK names.
import { writeFileSync } from 'node:fs';

process.on('exit', () => writeFileSync(process.env.BENCH_PEAK, String(process.resourceUsage().maxRSS)));
