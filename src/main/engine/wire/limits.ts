/** Bounds of the wire that more than one layer has to know. */

/** The longest UDP payload over IPv4 (65,535 less 20 and 8); nothing longer can come out of a socket. */
export const datagramLimitBytes = 65_507;
