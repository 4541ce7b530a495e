/** A budget of a platform's units, so that its limit is not met at all. */

import type { Clock } from "@kata-agents/plugin-sdk/sending";

/** Units a minute, given back evenly. Who finds none left waits for its share, in the order of asking. */
export class Quota {
  readonly #perMinute: number;
  readonly #clock: Clock;
  #left: number;
  #at: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    this.#clock = clock;
    this.#left = perMinute;
    this.#at = clock.now();
  }

  /** Takes units, waiting until there are as many. */
  take(units: number, signal: AbortSignal): Promise<void> {
    const work = async () => {
      this.#refill();
      const wanted = Math.min(units, this.#perMinute);
      if (this.#left < wanted) await this.#clock.sleep(Math.ceil(((wanted - this.#left) * 60_000) / this.#perMinute), signal);
      this.#refill();
      this.#left -= wanted;
    };
    const result = this.#turn.then(work, work);
    this.#turn = result;
    return result;
  }

  #refill(): void {
    const now = this.#clock.now();
    // A clock that was set back gives nothing, and takes nothing either.
    this.#left = Math.min(this.#perMinute, this.#left + (Math.max(0, now - this.#at) * this.#perMinute) / 60_000);
    this.#at = now;
  }
}
