import { contextText } from '../model/context-text.ts';
import type { BuildSpec, PlanStep } from '../model/plan.ts';
import type { Masker } from '../util/masker.ts';

const LONGEST = 240;

/**
 * What a step does, on one line for people: `busybox echo 'a b'`, `-t app:1 .`, the images of a push. Words are masked before they are
 * quoted and cut: half a secret is not recognised any more.
 */
export function describeStep(step: PlanStep, masker: Masker): string {
  const text = words(step)
    .map((word) => quote(masker.maskText(word)))
    .join(' ')
    .replaceAll(/\s*\n\s*/g, ' ');
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1).toWellFormed()}…`;
}

function words(step: PlanStep): readonly string[] {
  switch (step.kind) {
    case 'cmd':
      return [step.container.image, ...(step.container.entrypoint ?? []), ...step.container.args];
    case 'build':
      return buildWords(step.build);
    case 'push':
      return step.images;
  }
}

function buildWords(spec: BuildSpec): readonly string[] {
  return [
    ...spec.tags.flatMap((tag) => ['-t', tag]),
    ...(spec.dockerfile === undefined ? [] : ['-f', spec.dockerfile]),
    ...(spec.target === undefined ? [] : ['--target', spec.target]),
    contextText(spec.context),
  ];
}

function quote(word: string): string {
  return /^[\w@%+=:,./#*-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
