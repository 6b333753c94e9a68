import { expect, it } from 'vitest';
import { reasonOfRefusal } from '../../src/container/start-refusal.ts';

// Words of dockerd 20.10 and 28 with runc, and of Podman 4 with crun.
it.each([
  [
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "x": executable file not found in $PATH: unknown',
    "x: executable file not found in the image's PATH",
  ],
  [
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "x": executable file not found in $PATH: unknown',
    "x: executable file not found in the image's PATH",
  ],
  [
    'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "a b": executable file not found in $PATH: unknown',
    "a b: executable file not found in the image's PATH",
  ],
  [
    'crun: executable file `x` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found',
    "x: executable file not found in the image's PATH",
  ],
  [
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/etc": permission denied: unknown',
    '/etc: permission denied',
  ],
  [
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/x": stat /x: no such file or directory: unknown',
    '/x: no such file or directory',
  ],
  [
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting "/a" to rootfs at "/b": not a directory: unknown',
    'error mounting "/a" to rootfs at "/b": not a directory',
  ],
  [
    'driver failed programming external connectivity: port is already allocated',
    'driver failed programming external connectivity: port is already allocated',
  ],
  ['invalid port "http"', 'invalid port "http"'],
])('%s', (words, reason) => {
  expect(reasonOfRefusal(words)).toBe(reason);
});
