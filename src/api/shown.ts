import type { SecretRef, TaskArgument, TaskCredential, TaskStepDefinition } from '../model/task-definition.ts';
import type { BaseImageTrigger, TaskTriggers } from '../model/trigger-definition.ts';
import type { SecretShown } from './common.ts';
import type { ArgumentShown, CredentialShown, StepShown } from './task-schema.ts';
import type { TriggersShown } from './task-trigger-schema.ts';

/** Answers name a secret of the daemon; of what is sealed they say only that it is there. */
function showSecret(reference: SecretRef): SecretShown {
  return 'secret' in reference ? { secret: reference.secret } : { stored: true };
}

function showArgument(argument: TaskArgument): ArgumentShown {
  return argument.isSecret
    ? { name: argument.name, isSecret: true, value: showSecret(argument.value) }
    : { name: argument.name, isSecret: false, value: argument.value };
}

export function showCredential({ loginServer, userName, password }: TaskCredential): CredentialShown {
  return { loginServer, userName: typeof userName === 'string' ? userName : showSecret(userName), password: showSecret(password) };
}

/** Without tokens and endpoints; a URL of a repository may have been pasted with a user in it. */
export function showTriggers(triggers: TaskTriggers): TriggersShown {
  const { baseImageTrigger: base } = triggers;
  return {
    sourceTriggers: triggers.sourceTriggers.map(({ sourceRepository, ...source }) => {
      const { sourceControlAuthProperties: auth, repositoryUrl, ...repository } = sourceRepository;
      const token = auth === undefined ? {} : { sourceControlAuthProperties: { ...auth, token: showSecret(auth.token) } };
      return { ...source, sourceRepository: { ...repository, repositoryUrl: showUrl(repositoryUrl), ...token } };
    }),
    timerTriggers: triggers.timerTriggers,
    ...(base === undefined ? {} : { baseImageTrigger: showBaseImage(base) }),
    afterTriggers: triggers.afterTriggers,
  };
}

function showBaseImage({ updateTriggerEndpoint: endpoint, ...base }: BaseImageTrigger): NonNullable<TriggersShown['baseImageTrigger']> {
  return { ...base, ...(endpoint === undefined ? {} : { updateTriggerEndpoint: showSecret(endpoint) }) };
}

/** People paste tokens into URLs: what stands before the host of an http URL is not shown. */
export function showUrl(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@\s]*@/i, '$1…@');
}

export function showStep(step: TaskStepDefinition): StepShown {
  const { contextPath, contextAccessToken } = step;
  const source = {
    ...(contextPath === undefined ? {} : { contextPath: showUrl(contextPath) }),
    ...(contextAccessToken === undefined ? {} : { contextAccessToken: showSecret(contextAccessToken) }),
  };
  switch (step.type) {
    case 'Docker': {
      const { type, dockerFilePath, imageNames, isPushEnabled, noCache, target } = step;
      const what = { type, dockerFilePath, imageNames, isPushEnabled, noCache, ...(target === undefined ? {} : { target }) };
      return { ...what, ...source, arguments: step.arguments.map(showArgument) };
    }
    case 'FileTask': {
      const { type, taskFilePath, valuesFilePath } = step;
      const what = { type, taskFilePath, ...(valuesFilePath === undefined ? {} : { valuesFilePath }) };
      return { ...what, ...source, values: step.values.map(showArgument) };
    }
    case 'EncodedTask': {
      const { type, encodedTaskContent, encodedValuesContent } = step;
      const what = { type, encodedTaskContent, ...(encodedValuesContent === undefined ? {} : { encodedValuesContent }) };
      return { ...what, ...source, values: step.values.map(showArgument) };
    }
  }
}
