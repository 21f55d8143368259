package setup

// AsCopies returns o as it works on Windows, where it puts a copy in the place
// of a link.
func (o Official) AsCopies() Official {
	o.copies = true
	return o
}

// What the fuzz target and the tables of the edit need.
var (
	AddHelper    = addHelper
	RemoveHelper = removeHelper
)

// PutWhile puts this program in cre's place, which meanwhile changes.
func (o Official) PutWhile(meanwhile func()) error {
	p, err := o.place()
	if err != nil {
		return err
	}
	cre, _, err := p.look()
	if err != nil {
		return err
	}
	meanwhile()
	return p.put(cre)
}

// ReplaceWhile replaces docker's configuration, which meanwhile changes.
func ReplaceWhile(path, doc string, meanwhile func()) error {
	c, err := readConfig(path)
	if err != nil {
		return err
	}
	meanwhile()
	return c.replace([]byte(doc))
}
