/** Passing notes of this window (a failed action, a copied path). Notices of the engine are elsewhere: they last. */
export interface Note {
  id: number;
  tone: "info" | "error";
  message: string;
  hint: string | null;
}

const NOTES_MAX = 4;
const INFO_MS = 4_000;
let notes: readonly Note[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function set(next: readonly Note[]): void {
  notes = next;
  for (const listener of listeners) listener();
}

export function notify(note: Omit<Note, "id">): void {
  const id = nextId++;
  set([...notes, { ...note, id }].slice(-NOTES_MAX));
  if (note.tone === "info") setTimeout(() => dismissNote(id), INFO_MS);
}

export function dismissNote(id: number): void {
  set(notes.filter((note) => note.id !== id));
}

export function subscribeNotes(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const currentNotes = (): readonly Note[] => notes;
