/**
 * The program of holder containers: it sleeps for ever and needs nothing. It is made here, byte by byte, so that no
 * image has to be pulled and no binary lies in the repository: an ELF header, one segment, one system call in a loop.
 */
export function pauseProgram(architecture: string): Buffer | undefined {
  const target = TARGETS[architecture];
  return target === undefined ? undefined : elfProgram(target.machine, target.code);
}

interface Target {
  /** e_machine of the ELF header. */
  readonly machine: number;
  readonly code: Buffer;
}

const TARGETS: Readonly<Record<string, Target>> = {
  // loop: mov eax, 34 (pause); syscall; jmp loop
  amd64: { machine: 62, code: Buffer.from('b8220000000f05ebf7', 'hex') },
  // There is no pause on arm64. loop: x8 = 73 (ppoll); x0..x4 = 0 (no descriptors, no timeout); svc 0; b loop
  arm64: { machine: 183, code: words([0xd2800928, 0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd4000001, 0x17fffff9]) },
};

const HEADER_SIZE = 64;
const SEGMENT_ENTRY_SIZE = 56;
const LOAD_ADDRESS = 0x400000n;

function elfProgram(machine: number, code: Buffer): Buffer {
  const codeOffset = HEADER_SIZE + SEGMENT_ENTRY_SIZE;
  const file = Buffer.alloc(codeOffset + code.length);
  Buffer.from('7f454c46020101', 'hex').copy(file); // magic, 64 bit, little endian, version 1
  file.writeUInt16LE(2, 16); // executable
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(LOAD_ADDRESS + BigInt(codeOffset), 24); // entry
  file.writeBigUInt64LE(BigInt(HEADER_SIZE), 32); // segment table
  file.writeUInt16LE(HEADER_SIZE, 52);
  file.writeUInt16LE(SEGMENT_ENTRY_SIZE, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, HEADER_SIZE); // loadable
  file.writeUInt32LE(5, HEADER_SIZE + 4); // readable, executable
  file.writeBigUInt64LE(LOAD_ADDRESS, HEADER_SIZE + 16);
  file.writeBigUInt64LE(LOAD_ADDRESS, HEADER_SIZE + 24);
  file.writeBigUInt64LE(BigInt(file.length), HEADER_SIZE + 32);
  file.writeBigUInt64LE(BigInt(file.length), HEADER_SIZE + 40);
  file.writeBigUInt64LE(0x10000n, HEADER_SIZE + 48); // alignment that suits every page size of arm64
  code.copy(file, codeOffset);
  return file;
}

function words(instructions: readonly number[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 4);
  for (const [index, word] of instructions.entries()) bytes.writeUInt32LE(word, index * 4);
  return bytes;
}
