/** A set of files that `task init` writes; `about` is one line for the help. The task file comes first. */
export interface Template {
  readonly name: string;
  readonly about: string;
  readonly files: Readonly<Record<string, string>>;
}

const HELLO: Template = {
  name: 'hello',
  about: 'one step that says hello',
  files: {
    'task.yaml': `# Says hello from a container: task run
version: v1.1.0
steps:
  - id: hello
    cmd: '{{ .Values.base | default "busybox:stable" }} echo "Hello from run $ID"'
`,
  },
};

const BUILD_PUSH: Template = {
  name: 'build-push',
  about: 'build one image and push it',
  files: {
    'task.yaml': `# Builds an image and pushes it: task run --registry localhost:5000
version: v1.1.0
steps:
  - id: build
    build: -t $Registry/app:$ID --build-arg BASE={{ .Values.base | default "busybox:stable" }} .
    cache: enabled
  - id: push
    push: ["$Registry/app:$ID"]
`,
    Dockerfile: `ARG BASE=busybox:stable
FROM \${BASE}
RUN echo "built" > /app.txt
CMD ["cat", "/app.txt"]
`,
  },
};

const MULTI_SERVICE: Template = {
  name: 'multi-service',
  about: 'build a service and its client side by side, try one against the other, push both',
  files: {
    'task.yaml': `# Builds two images in parallel, tests them against each other, pushes both:
#   task run --registry localhost:5000
version: v1.1.0
steps:
  - id: build-service
    build: -t $Registry/service:$ID --build-arg BASE={{ .Values.base | default "busybox:stable" }} service
    when: ["-"]
  - id: build-client
    build: -t $Registry/client:$ID --build-arg BASE={{ .Values.base | default "busybox:stable" }} client
    when: ["-"]

  # A detached step is done as soon as it has started; other steps reach it by its id.
  - id: service
    cmd: $Registry/service:$ID
    detach: true
    when: [build-service]
  - id: test
    cmd: $Registry/client:$ID http://service:8080/
    retries: 5
    retryDelay: 1
    when: [service, build-client]

  - id: push
    push: ["$Registry/service:$ID", "$Registry/client:$ID"]
    when: [test]
`,
    'service/Dockerfile': `ARG BASE=busybox:stable
FROM \${BASE}
RUN mkdir -p /www && echo "it works" > /www/index.html
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
`,
    'client/Dockerfile': `ARG BASE=busybox:stable
FROM \${BASE}
ENTRYPOINT ["wget", "-q", "-O", "-"]
`,
  },
};

const TEST_BEFORE_PUSH: Template = {
  name: 'test-before-push',
  about: 'build an image, run its tests, push it only when they pass',
  files: {
    'task.yaml': `# Only an image that passed its tests is pushed: task run --registry localhost:5000
version: v1.1.0
steps:
  - id: build
    build: -t $Registry/app:$ID --build-arg BASE={{ .Values.base | default "busybox:stable" }} .
  - id: test
    cmd: $Registry/app:$ID sh /app/test.sh
    timeout: 120
  - id: push
    push: ["$Registry/app:$ID"]
`,
    Dockerfile: `ARG BASE=busybox:stable
FROM \${BASE}
COPY test.sh /app/test.sh
RUN echo "42" > /app/answer
CMD ["cat", "/app/answer"]
`,
    'test.sh': `#!/bin/sh
set -eu
[ "$(cat /app/answer)" = 42 ]
echo "the answer is right"
`,
  },
};

export const TEMPLATES: readonly Template[] = [HELLO, BUILD_PUSH, MULTI_SERVICE, TEST_BEFORE_PUSH];
