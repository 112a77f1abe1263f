// Lets the HorizontalPodAutoscaler controller of Kubernetes itself decide about made-up deployments, on a clock that
// stands still while nothing waits for it, and prints each look that it took: what it saw, proposed and asked for. The simulator's
// HorizontalPodAutoscaler is held to this (simulator/policies/hpa.recorded.test.ts).
//
//	cd test/kube && go test ./hpa -run Record -args -scenarios 10 -ticks 32 -seed 1 -out FILE
package hpa

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	core "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

var (
	scenarios = flag.Int("scenarios", 10, "how many deployments")
	ticks     = flag.Int("ticks", 32, "looks at each")
	seed      = flag.Uint64("seed", 1, "of everything that is made up")
	file      = flag.String("out", "", "file to write")
)

const (
	namespace = "models"
	name      = "model"
	interval  = 15 * time.Second
)

// pod is one of the deployment's, in whole seconds of the world's clock.
type pod struct {
	name                   string
	created, runs, ready   int
	unreadyFrom, unreadyTo int
	written                *v1.Pod
	gone                   int
	value                  int64
	sampled, window        int
}

// seen is a pod as one look found it.
type seen struct {
	// P: pending; R: running, not ready; S: serving, which is ready; D: deleted.
	state string
	// Seconds since its start, since its readiness changed, since its sample; CPU in milli-cores; the sample's window.
	age, changed    int
	milli           int64
	sampled, window int
}

// MarshalJSON writes it as a short array; a pod without a sample has three numbers less.
func (s seen) MarshalJSON() ([]byte, error) {
	short := []any{s.state, s.age, s.changed}
	if s.sampled >= 0 {
		short = append(short, s.milli, s.sampled, s.window)
	}
	return json.Marshal(short)
}

// look is one decision.
type look struct {
	At       int    `json:"at"`
	Replicas int32  `json:"replicas"`
	Proposed int32  `json:"proposed"`
	Asked    int32  `json:"asked"`
	Pods     []seen `json:"pods"`
}

type setting struct {
	Scenario int   `json:"scenario"`
	Target   int32 `json:"target"`
	Request  int64 `json:"request"`
	Min      int32 `json:"min"`
	Max      int32 `json:"max"`
	Behavior bool  `json:"behavior"`
}

type world struct {
	sync.Mutex
	setting
	random   *rand.Rand
	began    time.Time
	second   int
	replicas int32
	pods     []*pod
	made     int
	demand   func(second int) float64
	loss     float64
	looks    []look
	proposed int32
}

func (w *world) now() int { return int(time.Since(w.began) / time.Second) }

// step lets a second pass: pods come, become ready, are sampled, go.
func (w *world) step(client *fake.Clientset) {
	ctx := context.Background()
	w.Lock()
	w.second++
	now := w.second
	living := 0
	for _, p := range w.pods {
		if p.gone == 0 {
			living++
		}
	}
	for ; living < int(w.replicas); living++ {
		w.made++
		runs := now + 1 + w.random.IntN(20)
		p := &pod{name: fmt.Sprintf("p%d", w.made), created: now, runs: runs, ready: runs + 1 + w.random.IntN(15), sampled: -1}
		if w.random.Float64() < 0.02 {
			p.ready = runs + 400
		}
		w.pods = append(w.pods, p)
		w.Unlock()
		if _, err := client.CoreV1().Pods(namespace).Create(ctx, w.object(p, now), metav1.CreateOptions{}); err != nil {
			panic(err)
		}
		w.Lock()
	}
	for index := len(w.pods) - 1; index >= 0 && living > int(w.replicas); index-- {
		if w.pods[index].gone == 0 {
			w.pods[index].gone = now + 4
			living--
		}
	}
	serving := 0
	for _, p := range w.pods {
		if now >= p.ready && w.random.Float64() < 0.0005 {
			p.unreadyFrom, p.unreadyTo = now, now+5+w.random.IntN(60)
		}
		if p.isReady(now) {
			serving++
		}
	}
	kept := w.pods[:0]
	for index, p := range w.pods {
		// A scrape each 15 s, at another second for each pod of a node.
		if now >= p.runs+12 && (now+index%2*7)%15 == 0 && w.random.Float64() >= w.loss {
			share := 0.0
			if p.isReady(now) {
				share = w.demand(now) / math.Max(1, float64(serving)) * (0.85 + 0.3*w.random.Float64())
			}
			p.value, p.sampled, p.window = int64(math.Min(1_000, share)), now, 14+w.random.IntN(3)
		}
		if p.gone != 0 && now >= p.gone {
			w.Unlock()
			if err := client.CoreV1().Pods(namespace).Delete(ctx, p.name, metav1.DeleteOptions{}); err != nil {
				panic(err)
			}
			w.Lock()
			continue
		}
		kept = append(kept, p)
		object := w.object(p, now)
		if reflect.DeepEqual(object, p.written) {
			continue
		}
		p.written = object
		w.Unlock()
		if _, err := client.CoreV1().Pods(namespace).Update(ctx, object, metav1.UpdateOptions{}); err != nil {
			panic(err)
		}
		w.Lock()
	}
	w.pods = kept
	w.Unlock()
}

func (p *pod) isReady(now int) bool {
	return now >= p.ready && (now < p.unreadyFrom || now >= p.unreadyTo)
}

// changed is when its readiness changed last.
func (p *pod) changed(now int) int {
	switch {
	case p.unreadyTo > 0 && now >= p.unreadyTo:
		return p.unreadyTo
	case p.unreadyFrom > 0 && now >= p.unreadyFrom:
		return p.unreadyFrom
	case now >= p.ready:
		return p.ready
	}
	return p.created
}

func (w *world) at(second int) metav1.Time {
	return metav1.NewTime(w.began.Add(time.Duration(second) * time.Second))
}

func (w *world) object(p *pod, now int) *v1.Pod {
	started := w.at(p.created)
	object := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.name, Namespace: namespace, Labels: map[string]string{"app": name}},
		Spec: v1.PodSpec{Containers: []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{
			Requests: v1.ResourceList{v1.ResourceCPU: *resource.NewMilliQuantity(w.Request, resource.DecimalSI)},
		}}}},
		Status: v1.PodStatus{Phase: v1.PodRunning, StartTime: &started},
	}
	if now < p.runs {
		object.Status.Phase = v1.PodPending
	}
	status := v1.ConditionFalse
	if p.isReady(now) {
		status = v1.ConditionTrue
	}
	object.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: status, LastTransitionTime: w.at(p.changed(now))}}
	if p.gone != 0 {
		deleted := w.at(p.gone)
		object.DeletionTimestamp = &deleted
	}
	return object
}

// metrics is what metrics-server would answer; the look that asks is written down.
type metrics struct{ *world }

func (m metrics) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metricsclient.PodMetricsInfo, time.Time, error) {
	m.Lock()
	defer m.Unlock()
	now := m.now()
	info := metricsclient.PodMetricsInfo{}
	one := look{At: now, Replicas: m.replicas, Proposed: -1, Asked: m.replicas}
	for _, p := range m.pods {
		as := seen{state: "R", age: now - p.created, changed: now - p.changed(m.second), sampled: -1}
		switch {
		case p.gone != 0:
			as.state = "D"
		case m.second < p.runs:
			as.state = "P"
		case p.isReady(m.second):
			as.state = "S"
		}
		if p.sampled >= 0 && now-p.sampled <= 40 {
			info[p.name] = metricsclient.PodMetric{Timestamp: m.at(p.sampled).Time, Window: time.Duration(p.window) * time.Second, Value: p.value}
			as.milli, as.sampled, as.window = p.value, now-p.sampled, p.window
		}
		one.Pods = append(one.Pods, as)
	}
	m.looks = append(m.looks, one)
	if len(info) == 0 {
		return nil, time.Time{}, errors.New("no metrics")
	}
	return info, time.Now(), nil
}

var errNotAsked = errors.New("nobody asks for it")

func (metrics) GetRawMetric(string, string, labels.Selector, labels.Selector) (metricsclient.PodMetricsInfo, time.Time, error) {
	return nil, time.Time{}, errNotAsked
}

func (metrics) GetObjectMetric(string, string, *autoscaling.CrossVersionObjectReference, labels.Selector) (int64, time.Time, error) {
	return 0, time.Time{}, errNotAsked
}

func (metrics) GetExternalMetric(string, string, labels.Selector) ([]int64, time.Time, error) {
	return nil, time.Time{}, errNotAsked
}

// scales answers for the scale subresource.
func (w *world) scales() *scalefake.FakeScaleClient {
	client := &scalefake.FakeScaleClient{}
	object := func() *autoscalingv1.Scale {
		return &autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
			Spec:       autoscalingv1.ScaleSpec{Replicas: w.replicas},
			Status:     autoscalingv1.ScaleStatus{Replicas: w.replicas, Selector: "app=" + name},
		}
	}
	client.AddReactor("get", "deployments", func(core.Action) (bool, runtime.Object, error) {
		w.Lock()
		defer w.Unlock()
		return true, object(), nil
	})
	client.AddReactor("update", "deployments", func(action core.Action) (bool, runtime.Object, error) {
		w.Lock()
		defer w.Unlock()
		w.replicas = action.(core.UpdateAction).GetObject().(*autoscalingv1.Scale).Spec.Replicas
		w.looks[len(w.looks)-1].Asked = w.replicas
		return true, object(), nil
	})
	return client
}

// logger hears what is proposed.
func (w *world) logger() klog.Logger {
	return funcr.NewJSON(func(line string) {
		var said struct {
			Message string `json:"msg"`
			Desired *int32 `json:"desiredReplicas"`
		}
		if json.Unmarshal([]byte(line), &said) == nil && said.Message == "Proposing desired replicas" {
			w.Lock()
			w.looks[len(w.looks)-1].Proposed = *said.Desired
			w.Unlock()
		}
	}, funcr.Options{Verbosity: 4})
}

func (w *world) autoscaler() *autoscaling.HorizontalPodAutoscaler {
	hpa := &autoscaling.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: autoscaling.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscaling.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name},
			MinReplicas:    &w.Min,
			MaxReplicas:    w.Max,
			Metrics: []autoscaling.MetricSpec{{
				Type: autoscaling.ResourceMetricSourceType,
				Resource: &autoscaling.ResourceMetricSource{
					Name:   v1.ResourceCPU,
					Target: autoscaling.MetricTarget{Type: autoscaling.UtilizationMetricType, AverageUtilization: &w.Target},
				},
			}},
		},
	}
	if w.Behavior {
		hpa.Spec.Behavior = &autoscaling.HorizontalPodAutoscalerBehavior{}
	}
	defaults.SetDefaults_HorizontalPodAutoscalerBehavior(hpa)
	return hpa
}

// demands are milli-cores over time: what real traffic does, in short.
func demands(random *rand.Rand, kind int) func(second int) float64 {
	base := 200 + 1_800*random.Float64()
	at := 60 + random.IntN(120)
	wave := func(second int) float64 { return base * (1.2 + math.Sin(float64(second)/40)) }
	switch kind % 6 {
	case 0:
		return func(second int) float64 {
			if second > at {
				return 3 * base
			}
			return base
		}
	case 1:
		return func(second int) float64 {
			if second > at && second < at+45 {
				return 8 * base
			}
			return base
		}
	case 2:
		return func(second int) float64 { return base * (0.3 + float64(second)/150) }
	case 3:
		return wave
	case 4:
		return func(second int) float64 { return base * math.Max(0, 4-float64(second)/80) }
	}
	return func(int) float64 { return base }
}

func record(t *testing.T, index int) (setting, []look) {
	var w *world
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(*seed, uint64(index)))
		w = &world{
			setting: setting{
				Scenario: index, Target: []int32{60, 50, 70, 80, 150, 33}[random.IntN(6)], Request: []int64{250, 500, 1_000, 333}[random.IntN(4)],
				Min: 1 + int32(random.IntN(2)), Max: 12 + int32(random.IntN(20)), Behavior: index%4 != 3,
			},
			random: random, began: time.Now(), demand: demands(random, index), loss: []float64{0, 0.1, 0.4}[random.IntN(3)],
		}
		w.replicas = w.Min + int32(random.IntN(6))
		ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), w.logger()))
		client := fake.NewSimpleClientset(w.autoscaler())
		factory := informers.NewSharedInformerFactory(client, 0)
		controller := podautoscaler.NewHorizontalController(ctx, client.CoreV1(), w.scales(), client.AutoscalingV2(),
			testrestmapper.TestOnlyStaticRESTMapper(legacyscheme.Scheme), metrics{w},
			factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(), interval, 300*time.Second, 0.1, 300*time.Second, 30*time.Second)
		factory.Start(ctx.Done())
		var running sync.WaitGroup
		running.Go(func() { controller.Run(ctx, 1) })
		// Between two seconds of the world the controller looks.
		time.Sleep(500 * time.Millisecond)
		for range *ticks * 15 {
			w.step(client)
			time.Sleep(time.Second)
		}
		cancel()
		running.Wait()
		factory.Shutdown()
	})
	return w.setting, w.looks
}

func TestRecord(t *testing.T) {
	if *file == "" {
		t.Skip("-args -out FILE")
	}
	out, err := os.Create(*file)
	if err != nil {
		t.Fatal(err)
	}
	// Its pause between errors is counted from the time of day at which the program began.
	utilruntime.ErrorHandlers = nil
	encoder := json.NewEncoder(out)
	for index := range *scenarios {
		setting, looks := record(t, index)
		if err := encoder.Encode(setting); err != nil {
			t.Fatal(err)
		}
		for _, one := range looks {
			if err := encoder.Encode(one); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
