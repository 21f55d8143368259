package keyring_test
import ("testing";"time";"fmt"; "sync"; zalando "github.com/zalando/go-keyring";"cre-credential-helper/helper";"cre-credential-helper/keyring")
type slow struct{ mu sync.Mutex; n int; hist map[string][]time.Duration }
func (s *slow) t(op string, b time.Time){ d:=time.Since(b); s.mu.Lock(); s.hist[op]=append(s.hist[op],d); if d>300*time.Millisecond {fmt.Println("slow",op,d)}; s.mu.Unlock()}
func (s *slow) Get(a,b string)(string,error){defer s.t("get",time.Now()); v,e:=zalando.Get(a,b); if e==zalando.ErrNotFound{e=helper.ErrNotFound}; return v,e}
func (s *slow) Set(a,b,c string)error{defer s.t("set",time.Now()); return zalando.Set(a,b,c)}
func (s *slow) Delete(a,b string)error{defer s.t("del",time.Now()); e:=zalando.Delete(a,b); if e==zalando.ErrNotFound{e=helper.ErrNotFound}; return e}
func TestZZ(t *testing.T){
 healthy(t)
 b:=&slow{hist:map[string][]time.Duration{}}
 for r:=0;r<150;r++{
 s:=keyring.New(keyring.Options{Limit:2000,Backend:b,Service:fmt.Sprint("zz",r)})
 begin:=time.Now()
 for _, n := range []int{1, 2_000, 2_560, 2_700, 8_192, 65000, 4_096, 16_384, 1} { mustStore(t,s,credential(origin("x.test"),n)) }
 fmt.Println("round",r,time.Since(begin))
 }
 for op,h:=range b.hist { var sum time.Duration; for _,d:=range h{sum+=d}; fmt.Println(op,len(h),sum/time.Duration(len(h))) }
}
