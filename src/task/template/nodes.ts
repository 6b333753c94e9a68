/** Where a node stands in the text of the template. */
interface Placed {
  readonly start: number;
  readonly end: number;
}

export interface NumberNode extends Placed {
  readonly type: 'number';
  readonly text: string;
  /** The readings that the constant allows; which one counts depends on the parameter it is given to. */
  readonly int: bigint | undefined;
  readonly uint: bigint | undefined;
  readonly float: number | undefined;
  readonly complex: { readonly real: number; readonly imaginary: number } | undefined;
}

export interface ChainNode extends Placed {
  readonly type: 'chain';
  readonly base: Operand;
  readonly fields: readonly string[];
}

export interface IdentifierNode extends Placed {
  readonly type: 'identifier';
  readonly name: string;
}

export type Operand =
  | (Placed & { readonly type: 'bool'; readonly value: boolean })
  | (Placed & { readonly type: 'string'; readonly value: string })
  | (Placed & { readonly type: 'dot' })
  | (Placed & { readonly type: 'nil' })
  | (Placed & { readonly type: 'field'; readonly fields: readonly string[] })
  | (Placed & { readonly type: 'variable'; readonly name: string; readonly fields: readonly string[] })
  | NumberNode
  | ChainNode
  | IdentifierNode
  | PipeNode;

export interface CommandNode extends Placed {
  readonly type: 'command';
  readonly args: readonly Operand[];
}

export interface PipeNode extends Placed {
  readonly type: 'pipe';
  readonly assign: boolean;
  readonly variables: readonly string[];
  readonly commands: readonly CommandNode[];
}

export interface BranchNode extends Placed {
  readonly type: 'if' | 'with' | 'range';
  readonly pipe: PipeNode;
  readonly list: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
}

export interface TemplateCallNode extends Placed {
  readonly type: 'template';
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export type Node =
  | (Placed & { readonly type: 'text' })
  | (Placed & { readonly type: 'action'; readonly pipe: PipeNode })
  | (Placed & { readonly type: 'break' | 'continue' })
  | BranchNode
  | TemplateCallNode;

/** The templates of a file by name, the file itself among them. */
export type TemplateSet = ReadonlyMap<string, readonly Node[]>;
