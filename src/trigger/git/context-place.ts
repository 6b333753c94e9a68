import { contextText } from '../../model/context-text.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { classifyContext, localRepository } from '../../task/build/context.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';

/** A git context: what `URL#REF:DIRECTORY` says. */
export interface ContextPlace {
  readonly url: string;
  readonly ref: string;
  readonly subdir: string;
}

/** The task's own context when it is this repository (canonical URL). */
export function ownContext({ definition }: TaskRecord, repository: string): ContextPlace | undefined {
  const place = gitContext(definition.step.contextPath ?? '');
  return place !== undefined && canonicalRepositoryUrl(place.url) === repository ? place : undefined;
}

function gitContext(text: string): ContextPlace | undefined {
  const context = localRepository(text) ?? classifyContext(text);
  return context.kind === 'git' ? context : undefined;
}

/** The same place at a commit. */
export function contextAt(place: ContextPlace, commit: string): string {
  return contextText({ kind: 'git', url: place.url, ref: commit, subdir: place.subdir });
}

/** The same directory of another repository. What is no git context by its looks becomes one. */
export function inRepository(place: ContextPlace, url: string): ContextPlace {
  const isGit = gitContext(`${url}#x`) !== undefined;
  return { ...place, url: isGit ? url : `${url.replace(/\/+$/, '')}.git` };
}
