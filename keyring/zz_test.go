package keyring_test
import ("testing";"time";"fmt"; "sync"; zalando "github.com/zalando/go-keyring";"cre-credential-helper/helper";"cre-credential-helper/keyring";"cre-credential-helper/helper/helpertest")
type slow struct{ mu sync.Mutex; n int; hist map[string][]time.Duration }
func (s *slow) t(op string, b time.Time){ d:=time.Since(b); s.mu.Lock(); s.hist[op]=append(s.hist[op],d); if d>300*time.Millisecond {fmt.Println("slow",op,d)}; s.mu.Unlock()}
func (s *slow) Get(a,b string)(string,error){defer s.t("get",time.Now()); v,e:=zalando.Get(a,b); if e==zalando.ErrNotFound{e=helper.ErrNotFound}; return v,e}
func (s *slow) Set(a,b,c string)error{defer s.t("set",time.Now()); return zalando.Set(a,b,c)}
func (s *slow) Delete(a,b string)error{defer s.t("del",time.Now()); e:=zalando.Delete(a,b); if e==zalando.ErrNotFound{e=helper.ErrNotFound}; return e}
func TestZZ(t *testing.T){
 healthy(t)
 b:=&slow{hist:map[string][]time.Duration{}}
 n:=0
 for r:=0;r<3;r++{ for _, limit := range []int{-1,2560,2700,2000} {
 begin:=time.Now()
 helpertest.TestStore(t, func(*testing.T) helper.Store { n++; return keyring.New(keyring.Options{Limit:limit,Backend:b,Service:fmt.Sprint("zz",n)})}, helpertest.Options{})
 fmt.Println("round",r,limit,time.Since(begin))
 }}
}
