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

// OurMain is what Go's build information is expected to call this program.
const OurMain = ourMain
