import { type EngineApi, toEngineError } from './engine-api.ts';
import { LABEL_ATTEMPT, LABEL_RUN, LABEL_STEP } from './naming.ts';

/** What the engine has of one space that is being adopted. */
export interface ExistingThings {
  readonly containers: readonly ExistingContainer[];
  /** Ids by name; of several of one name, which engines make when they are asked twice at once, the oldest. */
  readonly networks: ReadonlyMap<string, string>;
  /** Names. */
  readonly volumes: ReadonlySet<string>;
}

export interface ExistingContainer {
  readonly id: string;
  readonly name: string;
  /** Undefined for holders. */
  readonly step: string | undefined;
  readonly attempt: number;
  /** The engine's word: `created`, `running`, `exited`, … */
  readonly state: string;
}

export const NOTHING_EXISTS: ExistingThings = { containers: [], networks: new Map(), volumes: new Set() };

/** Looks for everything with the label of a space. Rejects with EngineError. */
export async function findExisting(api: EngineApi, run: string): Promise<ExistingThings> {
  const filters = JSON.stringify({ label: [`${LABEL_RUN}=${run}`] });
  try {
    const [containers, networks, volumes] = await Promise.all([
      api.json<readonly ListedContainer[]>({ method: 'GET', path: '/containers/json', query: { all: true, filters } }),
      api.json<readonly ListedNetwork[]>({ method: 'GET', path: '/networks', query: { filters } }),
      api.json<{ Volumes: readonly { Name: string }[] | null }>({ method: 'GET', path: '/volumes', query: { filters } }),
    ]);
    return {
      containers: containers.map(existingContainer),
      networks: new Map(networks.toSorted(youngestFirst).map(({ Name, Id }) => [Name, Id])),
      volumes: new Set((volumes.Volumes ?? []).map(({ Name }) => Name)),
    };
  } catch (error) {
    throw toEngineError(error, `Looking for what run ${run} left`);
  }
}

interface ListedNetwork {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
}

function youngestFirst(a: ListedNetwork, b: ListedNetwork): number {
  return Date.parse(b.Created) - Date.parse(a.Created) || (a.Id < b.Id ? 1 : -1);
}

interface ListedContainer {
  readonly Id: string;
  readonly Names?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly State: string;
}

function existingContainer({ Id, Names, Labels, State }: ListedContainer): ExistingContainer {
  return {
    id: Id,
    name: (Names?.[0] ?? '').replace(/^\//, ''),
    step: Labels?.[LABEL_STEP],
    attempt: Number(Labels?.[LABEL_ATTEMPT] ?? 0),
    state: State.toLowerCase(),
  };
}
