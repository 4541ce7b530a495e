/**
 * A file of lines that are there as a whole or not at all: each is written with its checksum and an fsync, and what a power cut left half
 * written is passed over. Readable by its owner alone. Rewritten when most of it is old.
 */

import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Bytes from which on it is worth writing the file anew. */
const ENOUGH = 1 << 20;

const sum = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
const lineOf = (text: string): string => `${sum(text)} ${text}\n`;

/** Makes a rename or a new file durable. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } catch {
    // Windows has no folders that can be synced.
  } finally {
    closeSync(folder);
  }
}

export class Journal {
  readonly #path: string;
  #file: number;
  #bytes = 0;
  /** Size after the last rewriting. */
  #base = 0;

  /** Opens it and gives its lines to `each`, in order. */
  constructor(path: string, each: (text: string) => void) {
    this.#path = path;
    let torn = false;
    if (existsSync(path)) {
      for (const line of readFileSync(path, "utf8").split("\n")) {
        const text = line.slice(17);
        if (line[16] === " " && sum(text) === line.slice(0, 16)) each(text);
        else if (line !== "") torn = true;
        this.#bytes += Buffer.byteLength(line) + 1;
      }
    }
    this.#base = this.#bytes;
    this.#file = openSync(path, "a", 0o600);
    // The next line must not continue a half one.
    if (torn) this.#write("\n");
    syncFolder(path);
  }

  /** Durable when it returns. */
  append(text: string): void {
    this.#write(lineOf(text));
  }

  /** Whether much of it is old by now. */
  get long(): boolean {
    return this.#bytes > ENOUGH && this.#bytes > 2 * this.#base;
  }

  /** Holds just these lines from now on; a crash leaves the old ones or the new ones. */
  rewrite(texts: Iterable<string>): void {
    const temporary = `${this.#path}.new`;
    const whole = [...texts].map(lineOf).join("");
    const file = openSync(temporary, "w", 0o600);
    try {
      writeSync(file, whole);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#path);
    syncFolder(this.#path);
    closeSync(this.#file);
    this.#file = openSync(this.#path, "a", 0o600);
    this.#bytes = this.#base = Buffer.byteLength(whole);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(text: string): void {
    writeSync(this.#file, text);
    fsyncSync(this.#file);
    this.#bytes += Buffer.byteLength(text);
  }
}
