package official

// nonBlocking: Windows has no FIFO among its files.
const nonBlocking = 0
