package keyring

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
)

// tornReads is how often a set that looks torn is read again, from its head on.
// A writer that overtook the reader tears it for the moment; what stays torn is
// damaged.
const tornReads = 4

// load reads an item, putting its pieces together. It also returns the head
// that says which pieces those are, for a damaged set too; an item in one
// piece has the zero head.
func (s *Store) load(ctx context.Context, account string) (whole, head document, err error) {
	for range tornReads {
		var value string
		if value, err = s.get(ctx, account); err != nil {
			return document{}, document{}, err
		}
		if head, err = layout.Decode(value); err != nil || head.Generation == "" {
			return head, document{}, describe(account, err)
		}
		if whole, err = s.assemble(ctx, account, head); !errors.Is(err, ErrDamaged) {
			break
		}
	}
	return whole, head, err
}

// assemble reads the document that head stands for.
func (s *Store) assemble(ctx context.Context, account string, head document) (document, error) {
	var value strings.Builder
	for i := range head.Pieces {
		piece, err := s.get(ctx, pieceAccount(account, head.Generation, i))
		if errors.Is(err, helper.ErrNotFound) {
			// Not %w: an item of which a piece is missing isn't an absent one.
			err = describe(account, fmt.Errorf("%w (piece %d of %d is missing)", ErrDamaged, i+1, head.Pieces))
		}
		if err != nil {
			return document{}, err
		}
		value.WriteString(piece)
	}
	if checksum(value.String()) != head.SHA256 {
		return document{}, describe(account, fmt.Errorf("%w (its pieces don't match)", ErrDamaged))
	}
	whole, err := layout.Decode(value.String())
	if err == nil && whole.Generation != "" {
		whole, err = document{}, fmt.Errorf("%w (pieces of pieces)", ErrDamaged)
	}
	return whole, describe(account, err)
}

// save writes d over the item that has the given head. What is committed is
// kept, whatever becomes of the old pieces: the next write sweeps what this one
// can't.
func (s *Store) save(ctx context.Context, account string, d, old document) error {
	head, err := s.commit(ctx, account, d, old)
	if err == nil {
		_ = s.sweep(ctx, account, old, head)
	}
	return err
}

// commit writes d, and returns its head, the zero one where d fits in one
// piece. The commit is the write of the item's own account, which comes last:
// until then a reader finds the old document whole, from then on the new one.
func (s *Store) commit(ctx context.Context, account string, d, old document) (document, error) {
	var head document
	value, err := d.Encode()
	if err != nil {
		return head, describe(account, err)
	}
	if len(value) <= s.limit {
		err := s.put(ctx, account, value)
		if len(value) <= s.smaller || s.smaller == 0 || !errors.Is(err, ErrRefused) {
			return head, err
		}
	}
	if head, err = s.putPieces(ctx, account, value, old.Generation); err != nil {
		return head, err
	}
	if value, err = head.Encode(); err != nil {
		return head, describe(account, err)
	}
	return head, s.put(ctx, account, value)
}

// pieceLimit is how many bytes a piece may have.
func (s *Store) pieceLimit() int {
	if s.smaller > 0 {
		return min(s.smaller, s.limit)
	}
	return s.limit
}

// putPieces writes value in pieces of the generation that isn't the committed
// one, and returns the head that is to commit them.
func (s *Store) putPieces(ctx context.Context, account, value, committed string) (document, error) {
	head := document{Generation: "a", SHA256: checksum(value)}
	if committed != "" {
		head.Generation = layout.Other(committed)
	}
	if len(value) > 0 && (len(value)-1)/s.pieceLimit() >= layout.MaxPieces {
		return document{}, describe(account, ErrTooBig)
	}
	for ; value != ""; head.Pieces++ {
		n := min(s.pieceLimit(), len(value))
		if err := s.put(ctx, pieceAccount(account, head.Generation, head.Pieces), value[:n]); err != nil {
			return document{}, err
		}
		value = value[n:]
	}
	return head, nil
}

// removeItem deletes an item, the head first: that is the commit.
func (s *Store) removeItem(ctx context.Context, account string, old document) error {
	if err := s.drop(ctx, account); err != nil {
		return err
	}
	return s.sweep(ctx, account, old, document{})
}

// sweep deletes the pieces that live, the head just committed, doesn't stand
// for: those of the old head and what crashed writers left. A keychain can't
// be asked for its items, so pieces are kept contiguous: written upwards,
// found by probing upwards, deleted downwards.
func (s *Store) sweep(ctx context.Context, account string, old, live document) error {
	if s.pieceLimit() == unlimited && old.Generation == "" {
		return nil // nobody writes pieces here
	}
	for _, generation := range []string{"a", "b"} {
		first, known := 0, 0
		if generation == live.Generation {
			first = live.Pieces
		}
		if generation == old.Generation {
			known = old.Pieces
		}
		end, err := s.probe(ctx, account, generation, max(first, known))
		if err != nil {
			return err
		}
		for ; end > first; end-- {
			if err := s.drop(ctx, pieceAccount(account, generation, end-1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// probe returns the first piece, from i on, that isn't there.
func (s *Store) probe(ctx context.Context, account, generation string, i int) (int, error) {
	for ; i < layout.MaxPieces; i++ {
		_, err := s.get(ctx, pieceAccount(account, generation, i))
		if errors.Is(err, helper.ErrNotFound) {
			break
		} else if err != nil {
			return 0, err
		}
	}
	return i, nil
}
