import numpy as np, sys
from mpmath import mp, mpf, matrix, lu_solve, tanh as mtanh, qr_solve
mp.dps=50
def fit(p,q,L,iters=40,N=400):
    # nodes in t=x^2, chebyshev in x
    xs=[mpf(L)*(1-mp.cos(mp.pi*(i+mpf(1)/2)/N))/2 for i in range(N)]
    ys=[mtanh(x)/x for x in xs]
    w=[1/y for y in ys]  # relative error
    qv=[mpf(1)]*N
    lw=[mpf(1)]*N
    for it in range(iters):
        A=matrix(N,p+1+q); b=matrix(N,1)
        for i,(x,y) in enumerate(zip(xs,ys)):
            t=(x/L)**2; s=w[i]*lw[i]/qv[i]
            for j in range(p+1): A[i,j]=s*t**j
            for j in range(1,q+1): A[i,p+j]=-s*y*t**j
            b[i]=s*y
        c,_=qr_solve(A,b)
        P=[c[j] for j in range(p+1)]; Q=[mpf(1)]+[c[p+j] for j in range(1,q+1)]
        qv=[sum(Q[j]*(x/L)**(2*j) for j in range(q+1)) for x in xs]
        r=[abs((sum(P[j]*(x/L)**(2*j) for j in range(p+1))/qv[i]-ys[i])/ys[i]) for i,x in enumerate(xs)]
        m=max(r)
        if it>3:
            avg=sum(r)/N
            lw=[l*(mpf('0.5')+mpf('0.5')*e/avg)**mpf('0.5') for l,e in zip(lw,r)]
            tot=sum(lw)/N; lw=[l/tot for l in lw]
    P=[P[j]/mpf(L)**(2*j) for j in range(p+1)]; Q=[Q[j]/mpf(L)**(2*j) for j in range(q+1)]
    return P,Q,float(m)
f32=np.float32
def fma(a,b,c): return (a.astype(np.float64)*np.float64(b)+np.float64(c)).astype(f32)
def ev(P,Q,x,L):
    x=np.clip(x,-f32(L),f32(L)); t=x*x
    def horner(c):
        r=np.full_like(t,f32(c[-1]))
        for k in c[-2::-1]: r=(r.astype(np.float64)*t.astype(np.float64)+np.float64(f32(k))).astype(f32)
        return r
    n=x*horner(P); d=horner(Q); y=n/d
    return np.clip(y,-f32(1),f32(1))
def ulps(P,Q,L):
    x=np.concatenate([np.linspace(1e-6,10,2000003),np.logspace(-20,0,400001)]).astype(f32)
    y=ev(P,Q,x,L); tr=np.tanh(x.astype(np.longdouble))
    u=np.abs((y.astype(np.longdouble)-tr))/np.spacing(tr.astype(f32)).astype(np.longdouble)
    i=np.argmax(u); return float(u[i]),x[i],float(np.mean(u))
for p,q in [(6,3),(5,4),(5,3),(4,4),(4,3),(5,5)]:
    L=9.02 if p+q>8 else 8.9
    P,Q,m=fit(p,q,L,25,160)
    print(p,q,L,'maxrel',m,'ulps',ulps(P,Q,L))
    if (p,q) in [(5,4),(4,4)]:
        print([float(f32(float(c))) for c in P],[float(f32(float(c))) for c in Q])
