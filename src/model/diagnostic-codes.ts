interface DiagnosticCodeEntry {
  readonly title: string;
  readonly help: string;
}

/** Every code a Diagnostic can carry, with the lines that docs/errors.md prints. Codes are stable: they are never renamed. */
export const DIAGNOSTIC_CODES = {
  'yaml-syntax': {
    title: 'The text is not valid YAML.',
    help: 'Mend the text at the place the message names. The text is read after templates: `task render` shows it.',
  },
  'yaml-too-big': {
    title: 'A YAML text exceeds a limit of size, depth or number of nodes.',
    help: 'Split the file, or move generated parts out of it.',
  },
  'yaml-anchor': {
    title: 'A YAML alias names no anchor, or stands inside the node it names.',
    help: 'Define `&name` before `*name`, outside of it.',
  },
  'yaml-merge': {
    title: 'A merge key `<<` has a value that is no mapping.',
    help: 'Write `<<: *name` or `<<: [*a, *b]`, where each name is the anchor of a mapping.',
  },
  'word-refused': {
    title: 'A property has a value that no engine takes.',
    help: 'Write what the message expects; without it the step fails when it starts.',
  },
  'duplicate-key': {
    title: 'A key is written twice in one mapping.',
    help: 'Leave one of them out; the last one holds.',
  },
  'too-many-problems': {
    title: 'A file has more problems than are listed.',
    help: 'Mend the ones that are listed first.',
  },
  'type-mismatch': {
    title: 'A value has a type that its property does not take.',
    help: 'Write what the message expects. Numbers and booleans stand without quotes, and a list of one item is still a list.',
  },
  'list-item-empty': {
    title: 'An item of a list of mappings is empty.',
    help: 'Remove the dash, or fill the item in.',
  },
  'unknown-key': {
    title: 'A key is no property of the task language and is ignored.',
    help: 'Check the spelling: names are case-sensitive.',
  },
  'property-without-effect': {
    title: 'A property has no effect on a step of this kind.',
    help: 'Remove it, or use what the message names.',
  },
  'acr-extension': {
    title: 'A file uses something that Azure Container Registry does not know.',
    help: 'Leave it out of files that must also run there. Only `task lint --acr` looks for it.',
  },
  'alias-needs-version': {
    title: 'A file has an `alias` block but a version without aliases.',
    help: 'Write `version: v1.1.0`.',
  },
  'version-unknown': {
    title: 'The version of a task file does not exist.',
    help: 'Write `version: v1.1.0`, or leave it out.',
  },
  'env-bad-entry': {
    title: 'An entry of an environment has no `=`.',
    help: 'Write `NAME=value`. Entries that steps inherit are split at commas: values with commas belong into the `env` of a step.',
  },
  'secret-missing-id': { title: 'A secret has no id.', help: 'Add `id: NAME`.' },
  'secret-id-whitespace': {
    title: 'The id of a secret contains white space.',
    help: 'Use letters and digits, so that `.Secrets.ID` works.',
  },
  'secret-missing-keyvault': {
    title: 'A secret does not say where its value comes from.',
    help: 'Add `keyvault: env://NAME`, `keyvault: file://PATH` or a vault URL.',
  },
  'secret-bad-client-id': { title: 'The `clientID` of a secret is no UUID.', help: 'Copy the client id of the identity, or leave it out.' },
  'secret-too-short': {
    title: 'A secret is too short to be masked.',
    help: 'Use a value of 4 bytes or more: a shorter one would hide ordinary text.',
  },
  'secret-duplicate-id': { title: 'Two secrets have the same id.', help: 'Rename one of them.' },
  'volume-missing-name': { title: 'A volume has no name.', help: 'Add `name: NAME`.' },
  'volume-bad-name': {
    title: 'The name of a volume has characters that names of volumes cannot have.',
    help: 'Use letters, digits, `_` and `-`.',
  },
  'volume-missing-secret': { title: 'A volume has no `secret`.', help: 'Add `secret:` with file names and their content in base64.' },
  'volume-empty-secret': { title: 'The `secret` of a volume names no file.', help: 'Add a file name and its content in base64.' },
  'volume-bad-file-name': { title: 'A file of a volume has a name that it cannot have.', help: 'Use letters, digits, `.`, `_` and `-`.' },
  'volume-duplicate-name': { title: 'Two volumes have the same name.', help: 'Rename one of them.' },
  'volume-bad-base64': {
    title: 'The content of a file of a volume is no base64.',
    help: 'Pass it through `b64enc`: `{{.Secrets.name | b64enc}}`.',
  },
  'mount-on-push': { title: 'A push step has mounts.', help: 'Remove `volumeMounts` from the step.' },
  'mount-incomplete': { title: 'A mount lacks its name or its path.', help: 'Give it `name` and `mountPath`.' },
  'mount-unknown-volume': { title: 'A mount names a volume that the task does not have.', help: 'Declare the volume under `volumes`.' },
  'mount-path-relative': { title: 'A mount path is not absolute.', help: 'Start it with `/`.' },
  'mount-duplicate-path': { title: 'Two mounts of a step have the same path.', help: 'Mount them on different paths.' },
  'step-retries-negative': { title: '`retries` is negative.', help: 'Write 0 or more.' },
  'step-repeat-negative': { title: '`repeat` is negative.', help: 'Write 0 or more.' },
  'step-several-types': { title: 'A step has more than one of `cmd`, `build` and `push`.', help: 'Make a step of each.' },
  'step-missing-type': { title: 'A step has none of `cmd`, `build` and `push`.', help: 'Add one of them.' },
  'step-id-whitespace': { title: 'The id of a step contains white space.', help: 'Use `-` or `_` instead.' },
  'step-id-reserved': { title: 'The id of a step is reserved.', help: 'Choose another id than `-` and `acb_root`.' },
  'step-duplicate-id': {
    title: 'Two steps have the same id.',
    help: 'Rename one. A step without an id is named `acb_step_N` after its position, from 0.',
  },
  'script-missing-image': { title: 'A `script` has no image that runs it.', help: 'Add `image: NAME` to the step.' },
  'when-immediate-not-alone': { title: '`-` stands in `when` beside other ids.', help: 'Remove `-`, or the other ids.' },
  'when-self': { title: 'A step waits for itself.', help: 'Remove its own id from `when`.' },
  'when-empty': { title: 'An entry of `when` is empty.', help: 'Write the id of an earlier step.' },
  'when-later': { title: 'A step waits for a step below it.', help: 'Move the other step above.' },
  'when-unknown': { title: 'A step waits for a step that does not exist.', help: 'Check the id: it must be that of a step above.' },
  'cache-invalid': { title: 'The value of `cache` is neither `enabled` nor `disabled`.', help: 'Write one of them.' },
  'alias-source-failed': {
    title: 'A file or URL that `alias.src` names cannot be read.',
    help: 'Paths start at the current directory. URLs must answer within 2 seconds.',
  },
  'alias-bad-name': { title: 'An alias has a name that it cannot have.', help: 'Use ASCII letters and digits.' },
  'alias-bad-directive': {
    title: 'The `directive` of an alias block cannot start references.',
    help: 'Use one character that is no ASCII letter or digit, or leave it out for `$`.',
  },
  'alias-too-big': { title: 'Aliases make a text too big.', help: 'A text may have 16 MiB after aliases are replaced.' },
  'property-bad-quoting': {
    title: 'A quote in a property of a step is never closed.',
    help: 'Close it, or quote the value the other way round.',
  },
  'network-missing-name': { title: 'A network has no name.', help: 'Add `name: NAME` to the entry of `networks`.' },
  'push-bad-image': { title: 'A name under `push` is no image reference.', help: 'Write `[HOST/]PATH[:TAG]` in lower case.' },
  'shell-operator': {
    title: 'A shell operator stands outside quotes.',
    help: "No shell runs outside the container: wrap the script in `IMAGE sh -c '…'`, or quote the word.",
  },
  'shell-unterminated': { title: 'A quote or substitution is never closed.', help: 'Close it, or put a backslash before the character.' },
  'shell-second-command': {
    title: 'A `cmd` has a second command on another line.',
    help: "Fold the lines with `cmd: >`, end a line with `\\`, or wrap a script in `IMAGE sh -c '…'`.",
  },
  'shell-too-long': { title: 'Variables of a step make its text too long.', help: 'Hand large values over in a file of the workspace.' },
  'cmd-no-image': { title: 'A `cmd` names no image.', help: 'Write the image first, for example `cmd: alpine echo hello`.' },
  'flag-unknown': { title: 'A docker flag does not exist.', help: 'Check its spelling; arguments of an image follow its name.' },
  'flag-value': { title: 'A docker flag has no value, or one of the wrong kind.', help: 'The message says what the flag takes.' },
  'flag-unsupported': { title: 'A docker flag cannot be used in a task.', help: 'The message says why, and what to use instead.' },
  'flag-ignored': { title: 'A docker flag has no effect in a task.', help: 'Leave it out.' },
  'build-second-context': { title: 'A build has two contexts.', help: 'Put quotes around a value that has blanks.' },
  'build-no-context': { title: 'A build names no context.', help: 'Write the context last, for example `.`.' },
  'build-two-from-stdin': {
    title: 'The context and the Dockerfile are both to come from standard input.',
    help: 'Name a file with `-f`, or a directory as the context.',
  },
  'build-oci-untagged': { title: 'An `oci://` context has neither a tag nor a digest.', help: 'Write `oci://HOST/NAME:TAG`.' },
  'build-context-url': { title: 'A context is no URL.', help: 'Write a complete URL.' },
  'build-context-not-git': {
    title: 'A context that looks like a repository is fetched as an archive.',
    help: 'End the URL of a repository with `.git`, before `#REF:DIRECTORY`.',
  },
  'build-tag-invalid': { title: 'A tag of a build is no image reference.', help: 'Write `[HOST[:PORT]/]NAME[:TAG]` in lower case.' },
  'registry-missing': {
    title: 'A name begins with the registry of the run, and the run has none.',
    help: 'Name one with `--registry HOST`, or set `registry: HOST` in slipway.yaml.',
  },
  'isolation-unsupported': {
    title: 'A step asks for an isolation that an engine on Linux does not have.',
    help: 'Leave it out, or write `default`.',
  },
  'build-cache-unnamed': {
    title: 'A build has no place for its cache.',
    help: 'Tag the image with the registry that shall keep the cache.',
  },
  'dockerfile-missing': {
    title: 'A build has no Dockerfile where it looks for one.',
    help: '`-f` of a local context starts in the working directory of the step, `-f` of a fetched one in the fetched directory.',
  },
  'dockerfile-invalid': {
    title: 'A Dockerfile has an instruction that no builder accepts.',
    help: 'Mend the line that the message names.',
  },
  'dockerfile-unresolved': {
    title: 'A variable leaves the base image of a Dockerfile open.',
    help: 'Give the ARG a default before the first FROM, or pass `--build-arg`.',
  },
  'image-reference': { title: 'A name is no image reference.', help: 'Write `[HOST[:PORT]/]NAME[:TAG]` in lower case.' },
  'too-many-steps': { title: 'A task has more than 100,000 steps.', help: 'Split the task.' },
  'task-too-big': { title: 'A task file is longer than 1 MiB.', help: 'Split the task, or generate its parts with a template.' },
  'registry-credential-syntax': {
    title: 'A registry credential of the command line cannot be read.',
    help: 'Write HOST=USER:env:NAME or HOST=USER:file:PATH.',
  },
  'registry-credential-literal': {
    title: 'A registry credential of the command line does not say where its password comes from.',
    help: 'Put the password into an environment variable or a file; arguments are visible to every user of the machine.',
  },
  'template-syntax': {
    title: 'A template has a mistake in its syntax.',
    help: 'The message names the place; every action is `{{ … }}`, and each `if`, `range` and `with` has its `{{end}}`.',
  },
  'template-failed': {
    title: 'A template cannot be rendered.',
    help: 'Check the values it uses: a missing one can have a default, as in `{{.Values.x | default "none"}}`.',
  },
  'template-limit': { title: 'A template does too much.', help: 'Make it do less; a loop or a template that calls itself may never end.' },
  'template-empty': { title: 'A text renders to nothing.', help: 'Look at the conditions around the text and at the values they test.' },
  'values-set': { title: 'An assignment of `--set` is none.', help: 'Write `--set NAME=VALUE`.' },
  'values-not-a-mapping': { title: 'A values file is no mapping.', help: 'Write names and values: `name: value`.' },
  'values-key': { title: 'A key of a values file cannot be a name.', help: 'Use a text as the key.' },
  'values-number': { title: 'A number of a values file cannot be used.', help: 'Put it in quotes to pass it as text.' },
  'nothing-to-push': { title: 'A build is to be pushed but has no tag.', help: 'Add `-t IMAGE`.' },
  'scan-note': {
    title: 'Something was noticed while a build was scanned.',
    help: 'Nothing, as a rule; the message says what was noticed.',
  },
  'watch-context': { title: 'A context cannot be watched.', help: 'Watch a local folder.' },
  'file-exists': { title: 'A file that would be written exists already.', help: 'Remove it, or write elsewhere.' },
  'file-unreadable': { title: 'A file cannot be read.', help: 'Check its path and its permissions.' },
  'file-too-big': { title: 'A file is too big for what it is used for.', help: 'The message names the limit.' },
  'task-file-missing': { title: 'There is no task file.', help: 'Name one with `-f`, or write one with `task init`.' },
  'setting-value': { title: 'A setting has a value that it does not take.', help: 'Write what the message expects.' },
  'setting-unknown': { title: 'A setting does not exist.', help: 'Check its spelling.' },
  'flags-conflict': { title: 'Two flags cannot be used together.', help: 'Leave one of them out.' },
  'flag-missing': { title: 'A flag is needed that is not given.', help: 'Add the flag that the message names.' },
  'context-missing': { title: 'A context does not exist.', help: 'Check the path of the context.' },
  'context-unsupported': { title: 'A context cannot be used here.', help: 'The message says which contexts can.' },
  'task-field': {
    title: 'A field of a task on a daemon has a value that it cannot have.',
    help: 'Write what the message expects; `schemas/task-definition.schema.json` describes every field.',
  },
  'task-field-unknown': { title: 'A task on a daemon has no such field.', help: 'Check the spelling; names are case-sensitive.' },
  'task-field-missing': { title: 'A field that a task on a daemon needs is not there.', help: 'Add the field that the message names.' },
  'task-secret': {
    title: 'A task names a secret that its runs could not use now.',
    help: 'Set it with `task secret set NAME` before the task runs, or let the secret be used by this task.',
  },
  'task-secret-plain': {
    title: 'A file of tasks holds a secret value.',
    help: 'Store it with `task secret set NAME`, and write `{ secret: NAME }` in its place.',
  },
  'trigger-circle': {
    title: 'A task follows itself, over other tasks.',
    help: 'A run that would close the circle is refused. Take one of the triggers away that the message names.',
  },
  'trigger-polls': {
    title: 'A trigger has no token of its forge, so nothing tells the daemon of a push.',
    help: 'The repository is looked at every few minutes. `task trigger webhook NAME` shows how to have pushes told at once.',
  },
  'trigger-task-missing': {
    title: 'A task is to run after one that is not there.',
    help: 'Check the name; the trigger works once there is a task of that name.',
  },
  'task-twice': { title: 'Two documents define the same task.', help: 'Remove one, or give it another name.' },
} as const satisfies Record<string, DiagnosticCodeEntry>;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;

export function isDiagnosticCode(text: string): text is DiagnosticCode {
  return Object.hasOwn(DIAGNOSTIC_CODES, text);
}
