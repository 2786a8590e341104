(()=>{
const all=(s)=>document.querySelectorAll(s),mark=(id,on)=>{
for(const e of [document.getElementById(id),document.querySelector('.scatter a[href$="#'+id+'"]')])if(e)e.classList.toggle('on',on)};
const link=(e,id)=>{for(const [a,b] of [['mouseenter','mouseleave'],['focusin','focusout']]){
e.addEventListener(a,()=>mark(id,true));e.addEventListener(b,()=>mark(id,false))}};
all('.scatter a').forEach(a=>link(a,a.getAttribute('href').split('#')[1]));
all('tbody tr[id]').forEach(r=>link(r,r.id));
all('table[data-static] thead th').forEach((th,i)=>{
const b=document.createElement('button');b.type='button';b.textContent=th.textContent;th.replaceChildren(b);
b.addEventListener('click',()=>{
const up=th.getAttribute('aria-sort')!=='ascending',body=th.closest('table').tBodies[0];
all('th[aria-sort]').forEach(o=>o.removeAttribute('aria-sort'));th.setAttribute('aria-sort',up?'ascending':'descending');
const key=r=>{const v=r.cells[i].dataset.v;return v===undefined||v===''?null:+v};
[...body.rows].sort((p,q)=>{const x=key(p),y=key(q);return x===null?1:y===null?-1:up?x-y:y-x}).forEach(r=>body.append(r))})});
})();
