import type { GcResult, Readiness } from '../../api/daemon-schema.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { LogStore } from '../../model/ports/log-store.ts';
import type { RunQueue } from '../../model/ports/run-queue.ts';
import type { SecretBox } from '../../model/ports/secret-box.ts';
import type { Store } from '../../model/ports/store.ts';
import type { UploadStore } from '../../model/ports/upload-store.ts';
import type { Principal } from '../../model/security.ts';
import type { AgentGateway } from '../../service/runs/agent-gateway.ts';
import type { RunHub } from '../../service/runs/hub.ts';
import type { RunService } from '../../service/runs/run-service.ts';
import type { Audit } from '../../service/security/audit.ts';
import type { SecretService } from '../../service/security/secret-service.ts';
import type { TokenService } from '../../service/security/token-service.ts';
import type { TaskCredentials } from '../../service/tasks/task-credentials.ts';
import type { TaskDefaults } from '../../service/tasks/task-defaults.ts';
import type { TaskService } from '../../service/tasks/task-service.ts';
import type { TriggerService } from '../../trigger/trigger-service.ts';
import type { HookService } from '../triggers/hook-service.ts';
import type { HookOperations, ImageOperations } from './trigger-operations.ts';

/** All that the HTTP server calls. Handlers only translate between it and HTTP. */
export interface HttpServices {
  readonly store: Pick<Store, 'runs' | 'idempotency' | 'events' | 'timers'>;
  readonly tasks: TaskService;
  readonly credentials: Pick<TaskCredentials, 'put' | 'remove'>;
  /** What tasks and quick runs have that do not say it. */
  readonly defaults: TaskDefaults;
  readonly runs: Pick<
    RunService,
    'create' | 'get' | 'events' | 'rerun' | 'cancel' | 'setArchived' | 'pauseQueue' | 'resumeQueue' | 'draining'
  >;
  readonly queue: Pick<RunQueue, 'waiting' | 'state'>;
  readonly gateway: Pick<AgentGateway, 'agents'>;
  readonly tokens: Pick<TokenService, 'authenticate' | 'create' | 'list' | 'revoke'>;
  readonly secrets: Pick<SecretService, 'set' | 'list' | 'delete'>;
  readonly audit: Audit;
  readonly logs: Pick<LogStore, 'stat' | 'read' | 'changed'>;
  readonly uploads: Pick<UploadStore, 'has' | 'put'>;
  readonly hub: Pick<RunHub, 'subscribe'>;
  /** Seals answers that are kept for repeated requests: one may hold a token. */
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly operations: Operations;
  readonly triggers: Pick<TriggerService, 'events' | 'event' | 'replay' | 'explainRun' | 'explainTask' | 'approve' | 'check'>;
  readonly hooks: HookService;
  readonly intake: HookOperations;
  readonly images: ImageOperations;
}

export interface Operations {
  readonly version: string;
  readonly daemonId: string;
  readiness(): Promise<Readiness>;
  gc(principal: Principal, options: { readonly dryRun: boolean }): Promise<GcResult>;
  /** Prometheus' text format. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}
