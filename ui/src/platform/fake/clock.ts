/** Time of the fake: minutes and hours back from the moment it started. */
export const START = Date.now();
export const minutesAgo = (n: number): number => START - n * 60_000;
export const hoursAgo = (n: number): number => minutesAgo(n * 60);
export const daysAgo = (n: number): number => hoursAgo(n * 24);
