// Reads a category that one contract has and the other has not.
import type { SharedMember } from "./contract";

export const city = (member: SharedMember): string | null | undefined => member.address?.city;
