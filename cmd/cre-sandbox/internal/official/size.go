package official

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSize is the largest size that can be ordered, in bytes.
const maxSize = 200e6

// parseSize reads a number of bytes, with the unit B, KB or MB of powers of ten.
func parseSize(s string) (int64, error) {
	digits, unit := strings.TrimSuffix(s, "B"), int64(1)
	for suffix, factor := range map[string]int64{"K": 1e3, "M": 1e6} {
		if rest, ok := strings.CutSuffix(digits, suffix); ok {
			digits, unit = rest, factor
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > maxSize/unit {
		return 0, fmt.Errorf("%q is not a size like 100MB, the largest is 200MB", s)
	}
	return n * unit, nil
}
