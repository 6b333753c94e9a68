/** What dockerd, containerd, runc and crun each put before the reason that a process did not start. */
const WRAPPING =
  /^(?:failed to create (?:shim|task|shim task|task for container)|OCI runtime create failed|runc create failed|crun|runc|unable to start container process|(?:container|process|standard_init)_linux\.go:\d+|starting container process caused|container init caused|error during container init|failed to start shim|unable to start container "[0-9a-f]+"): /;
const TRAILER =
  /: (?:unknown|OCI (?:permission denied|runtime (?:error|attempted to invoke a command that was not found|command not found error)))$/;

/**
 * The reason in an engine's refusal to start a container, for the author of the step: without the names of the programs that passed
 * it on. A refusal of another kind comes back as it is.
 */
export function reasonOfRefusal(message: string): string {
  let reason = message.trim();
  for (let bare = reason.replace(WRAPPING, ''); bare !== reason; bare = reason.replace(WRAPPING, '')) reason = bare;
  for (let bare = reason.replace(TRAILER, ''); bare !== reason; bare = reason.replace(TRAILER, '')) reason = bare;
  const missing = /^exec: "(.*)": executable file not found in \$PATH$|^executable file `(.*?)` not found(?: in \$PATH)?(?:: .*)?$/s.exec(
    reason,
  );
  if (missing !== null) return `${missing[1] ?? missing[2] ?? ''}: executable file not found in the image's PATH`;
  const path = /^exec: "(.*)": (?:stat .*: )?(no such file or directory|permission denied|is a directory|exec format error)$/s.exec(reason);
  return path === null ? reason : `${path[1] ?? ''}: ${path[2] ?? ''}`;
}
