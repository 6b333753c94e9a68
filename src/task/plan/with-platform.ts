import type { Plan } from '../../model/plan.ts';

/** The plan with a platform (`os/arch[/variant]`) for every container and build that names none. */
export function withPlatform(plan: Plan, platform: string): Plan {
  const steps = plan.steps.map((step) => {
    if (step.kind === 'cmd') return { ...step, container: { platform, ...step.container } };
    if (step.kind === 'build' && step.build.platforms.length === 0) return { ...step, build: { ...step.build, platforms: [platform] } };
    return step;
  });
  return { ...plan, steps };
}
