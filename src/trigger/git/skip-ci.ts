const WORDS = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|\*\*\*NO_CI\*\*\*/i;
const TRAILER = /^skip-checks:[ \t]*true[ \t]*$/im;

/** The words of a commit message by which its author wants nothing to run: those of GitHub, GitLab and Azure DevOps. */
export function skipWords(message: string): string | undefined {
  const words = WORDS.exec(message)?.[0];
  if (words !== undefined) return words;
  // A trailer stands in the last paragraph, below the subject.
  const paragraphs = message.trim().split(/\n[ \t]*\n/);
  return paragraphs.length > 1 ? TRAILER.exec(paragraphs.at(-1) ?? '')?.[0] : undefined;
}
