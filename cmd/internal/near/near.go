// Package near finds what somebody may have meant by a word that was mistyped.
package near

import "strings"

// maxWord is longer than any word that is meant; both in bytes.
const (
	minWord = 3
	maxWord = 60
)

// Best returns the one of the known words that word is nearest to, in capitals or
// small letters, or "" if none is near enough, or word is one of them.
func Best(word string, known []string) string {
	if len(word) < minWord || len(word) > maxWord {
		return ""
	}
	best, nearest := "", tooFar
	for _, k := range known {
		if k == word {
			return ""
		}
		if d := Distance(strings.ToLower(word), strings.ToLower(k)); d <= Allowed(k) && d < nearest {
			best, nearest = k, d
		}
	}
	return best
}

const tooFar = 3

// Allowed is how many slips of the finger a word may have. Short ones get one.
func Allowed(word string) int {
	if len(word) < 6 {
		return 1
	}
	return tooFar - 1
}

// Distance counts the characters to insert, to drop, to replace or to swap with
// their neighbour (the optimal string alignment distance).
func Distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
